"""Files that appliances are made of: verified copies of image files, and day-0 seed images.

Works below two directories it is given: the image directory (the user's, read only) and the state directory.
Knows nothing of domains, plans or the wire.
"""
