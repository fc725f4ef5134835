"""What speaks for each value of an answer: how probable it is, what comes next, and where the document says it."""
