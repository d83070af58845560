"""服务档案: closed cases sealed, kept for as long as their item wants, exported, and destroyed with proof."""
