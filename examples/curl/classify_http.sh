#!/usr/bin/env bash
# Prints the most probable classes of photo.jpg as JSON.
curl --data-binary @photo.jpg "http://localhost:50051/v1/classify?top_k=5"
