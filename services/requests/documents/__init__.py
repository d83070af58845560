"""通知书: what the applicant is given in writing, with date and number."""
