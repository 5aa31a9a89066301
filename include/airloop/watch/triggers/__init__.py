"""What asks for a training after a look, one file a trigger."""
