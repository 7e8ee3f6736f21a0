"""What is asked, may it be asked, what does it cost: the schema, its limits, compiled operations, answers."""
