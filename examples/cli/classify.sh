#!/usr/bin/env bash
# Prints the most probable classes of photo.jpg, one JSON object per image.
imageclassifier classify --server http://localhost:50051 --top-k 5 --json photo.jpg
