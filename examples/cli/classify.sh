#!/usr/bin/env bash
# The best guesses about photo.jpg, one JSON object a picture.
imageclassifier classify --server http://localhost:50051 --top-k 5 --json photo.jpg
