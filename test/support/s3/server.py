"""An S3 server on a free port of loopback that checks signatures and rights, until its standard input ends.

Prints one line of JSON: where it listens, a bucket, and the keys of one who may use it and of one who may not.
"""

import json
import os
import sys

os.environ.update(AWS_ACCESS_KEY_ID="root", AWS_SECRET_ACCESS_KEY="root", AWS_DEFAULT_REGION="us-east-1")

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="frames")
iam = boto3.client("iam", endpoint_url=endpoint)


def keys(user, effect):
    iam.create_user(UserName=user)
    statement = {"Effect": effect, "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="s3", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}


told = {"endpoint": endpoint, "bucket": "frames", "allowed": keys("camera", "Allow"), "denied": keys("stranger", "Deny")}
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
print(json.dumps(told), flush=True)
sys.stdin.read()
server.stop()
