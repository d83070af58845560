"""Villages and urban communities, and what is counted of them once a year."""
