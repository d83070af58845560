"""A small service of notes that exercises every part of servicekit."""
