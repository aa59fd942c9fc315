"""Who may call which route on which record: every route, every caller, every record, with the answer that is right."""
