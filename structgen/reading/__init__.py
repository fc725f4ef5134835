"""What a text states: its numbers, dates, times and words, and where they stand."""
