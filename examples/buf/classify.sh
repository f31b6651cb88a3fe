#!/usr/bin/env bash
# Prints the most probable classes of photo.jpg. Needs buf: pip install buf-bin
printf '{"imageData":"%s","topK":5}' "$(base64 -w 0 photo.jpg)" |
    buf curl --protocol grpc --data @- http://localhost:50051/imageclassifier.ImageClassifier/Classify
