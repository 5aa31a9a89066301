"""What DAG files share: tasks, windows, outcomes, notes, the bell, the calendar, the plugin."""
