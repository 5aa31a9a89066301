"""What a person sees of the loop: pages made of records, ledger and reports, for a browser.

Every page is one self-contained document: its style, script and pictures are inside. Nothing here writes, and nothing
heavy is imported: the pages are made in Airflow's API server.
"""
