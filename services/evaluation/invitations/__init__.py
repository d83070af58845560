"""Rating without signing in: signed tokens, look-up codes, devices, telephone and paper."""
