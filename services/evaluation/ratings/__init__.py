"""评价 and 追评: given once each by the resident, read by staff without who."""
