"""短板清单: what each village lacks, what would close it most cheaply, and what residents say."""
