"""一窗受理: taking an application in."""
