"""Prints the most probable classes of photo.jpg. Needs the package: pip install CLONE/clients/python"""

from imageclassifier import Client

with Client("http://localhost:50051") as client:
    answer = client.classify("photo.jpg", top_k=5)
for prediction in answer.predictions:
    print(f"{prediction.label} {100 * prediction.confidence:.1f} %")
