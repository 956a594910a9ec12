"""The release: sdist, wheel, bundle, bills of materials and checksums, below dist/."""
