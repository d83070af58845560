"""The same places and services in the shape of Open Referral HSDS 3.0, for other systems."""
