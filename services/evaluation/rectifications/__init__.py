"""差评整改: verified, mended or explained, replied to, called back."""
