"""Training of the reader: pretrained weights, pages with targets, the run and its export."""
