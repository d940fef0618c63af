"""The metadata of media files: type, length, dimensions and duration.

Here belongs what is read from media files, local ones and those of other hosts, and making
smaller copies of images. Which files belong to a record is decided in `feedpub.records`; what is
remembered about them is in `feedpub.store.media`.
"""
