"""The crash kit: shows of any adapter that nothing is missing and nothing happens twice, however often it is killed."""
