import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { used } from "../used.js";

// Errors and lists are XML, for which it has no parser on Workers.
export default used(async (env) => {
  const of = (secretAccessKey) => new S3Client({ endpoint: env.UP, region: "eu-west-1", forcePathStyle: true, credentials: { accessKeyId: "AKID", secretAccessKey }, requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" });
  const s3 = of("hush");
  const put = await s3.send(new PutObjectCommand({ Bucket: "bucket", Key: "dir/a b.txt", Body: "hello", ContentType: "text/plain" }));
  const got = await s3.send(new GetObjectCommand({ Bucket: "bucket", Key: "dir/a b.txt" }));
  const none = await s3.send(new HeadObjectCommand({ Bucket: "bucket", Key: "none" })).catch((error) => [error.name, error.$metadata.httpStatusCode]);
  const forged = await of("wrong").send(new HeadObjectCommand({ Bucket: "bucket", Key: "none" })).catch((error) => error.$metadata.httpStatusCode);
  return [put.ETag, await got.Body.transformToString(), got.ContentType, none, forged];
}, ['"5d41402abc4b2a76b9719d911017c592"', "hello", "text/plain", ["NotFound", 404], 403]);
