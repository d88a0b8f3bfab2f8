import { hash } from "node:crypto";
import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryPreview, DeliveryResult } from "#logging/destinations/destination.ts";
import { toGcsContent, toGcsObjects, type GcsObject } from "#logging/destinations/gcs-bucket-object.ts";
import { requestGcs, toGcsError, type GcsSession } from "#logging/destinations/gcs-bucket-request.ts";
import type { GcsTarget } from "#logging/destinations/gcs-bucket-target.ts";
import type { LogRecord } from "#logging/record.ts";

const Resource = z.object({ name: z.string(), metadata: z.record(z.string(), z.string()).default({}) });

/**
 * Stores one object, unless one of that name exists. An existing one counts as delivered only where its metadata says
 * that it is this very object, stored by an earlier try. Dead is what Google refuses for the object's own sake; throws
 * `UpstreamError` where nothing can be stored now.
 */
export async function uploadGcsObject(object: GcsObject, session: GcsSession): Promise<DeliveryResult> {
  const { target } = session;
  const answer = await requestGcs(session, toUpload(object, target));
  const { status } = answer;
  if (status === 200 && Resource.safeParse(answer.body).data?.name === object.name) {
    return { outcome: "delivered", status };
  }
  if (status === 412) return confirmStored(object, session);
  const error = toGcsError(answer, target);
  if (error.fault === "record" || error.fault === "too_large") {
    return { outcome: "dead", status, message: error.message };
  }
  throw error;
}

/** The upload that a delivery of this record alone would make; the token is masked. */
export function previewGcsUpload(record: LogRecord, { target, credentials, context }: GcsSession): DeliveryPreview {
  const [object] = toGcsObjects([record], target, context.callbackId);
  if (!object) throw new Error("A record has no object.");
  const { method, path, headers, body } = toUpload(object, target);
  const authorization = credentials.kind === "none" ? {} : { authorization: "Bearer ***" };
  return { method, url: `${target.url}${path}`, headers: { ...authorization, ...headers }, body: body.toString() };
}

function toUpload(object: GcsObject, { bucket }: GcsTarget) {
  const content = toGcsContent(object);
  // A content cannot hold its own digest, and so never the boundary, which not every server looks for in lines alone.
  const boundary = `sluice-${hash("sha256", content, "hex")}`;
  return {
    method: "POST",
    path: `/upload/storage/v1/b/${bucket}/o?uploadType=multipart&ifGenerationMatch=0`,
    headers: { "content-type": `multipart/related; boundary=${boundary}` },
    body: toMultipart(object, { content, boundary }),
  } as const;
}

async function confirmStored(object: GcsObject, session: GcsSession): Promise<DeliveryResult> {
  const { target } = session;
  const path = `/storage/v1/b/${target.bucket}/o/${encodeURIComponent(object.name)}`;
  const answer = await requestGcs(session, { method: "GET", path });
  const resource = Resource.safeParse(answer.body);
  const exists = `An object named ${object.name} exists already`;
  if (answer.status === 200 && resource.success) {
    const { identityName, metadata } = object;
    if (resource.data.metadata[identityName] === metadata[identityName]) {
      return { outcome: "delivered", status: 412, message: "Stored by an earlier try" };
    }
    return { outcome: "dead", status: 412, message: `${exists} and is not this record (its ${identityName} differs)` };
  }
  const error = toGcsError(answer, target);
  if (answer.status === 404) throw new UpstreamError(404, `${exists}, and then was gone`, { fault: "transient" });
  if (error.fault !== "destination" || answer.status < 400) throw error;
  return {
    outcome: "dead",
    status: 412,
    message: `${exists}, and the service account may not read whose it is (storage.objects.get): ${answer.words}`,
  };
}

function toMultipart(object: GcsObject, { content, boundary }: { content: Buffer; boundary: string }): Buffer {
  const resource = {
    name: object.name,
    contentType: object.contentType,
    // Google refuses what arrives damaged.
    md5Hash: hash("md5", content, "base64"),
    metadata: object.metadata,
  };
  const head =
    `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(resource)}\r\n` +
    `--${boundary}\r\ncontent-type: ${object.contentType}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}
