"""How a service of 一窗 is built: technical parts only, no domain noun and no table of its own."""
