"""Reports: an answer beside its document, as one HTML file that a reader can check value by value."""
