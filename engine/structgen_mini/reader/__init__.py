"""The reader: a pretrained encoder that says where a document states each field of an outline."""
