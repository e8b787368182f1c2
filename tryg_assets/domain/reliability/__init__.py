"""Statistics of agreement: is the coding good enough to publish?"""
