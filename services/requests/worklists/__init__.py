"""Work lists: whose turn it is, how many wait, and many steps in one go."""
