import { expect, test } from "vitest";
import { assertUserHeaders } from "#lib/address-user-headers.ts";

test("takes ordinary headers", () => {
  expect(() => {
    assertUserHeaders({ "X-Api-Key": "secret", Authorization: "Bearer x", "x-tags": "a\tb é" });
  }).not.toThrow();
});

test.each([
  "Host",
  "Content-Length",
  "transfer-encoding",
  "Connection",
  "Keep-Alive",
  "TE",
  "Trailer",
  "Upgrade",
  "Proxy-Authorization",
  "Metadata",
  "Metadata-Flavor",
  "X-Metadata-Token",
  "X-aws-ec2-metadata-token",
  "x-aws-ec2-metadata-token-ttl-seconds",
  "X-aliyun-ecs-metadata-token",
])("refuses the header %s", (name) => {
  expect(() => {
    assertUserHeaders({ [name]: "1" });
  }).toThrow(`"${name}" must not be set`);
});

test.each(["a\r\nHost: b", "a\nb", "a\u0000b", "a\rb", "snow ☃"])(
  "refuses the value %j without showing it",
  (value) => {
    const set = () => {
      assertUserHeaders({ "x-note": value });
    };
    expect(set).toThrow('"x-note"');
    expect(set).not.toThrow(value);
  },
);

test.each(["x-a\r\nHost", "x a", "", "x:"])("refuses the name %j", (name) => {
  expect(() => {
    assertUserHeaders({ [name]: "1" });
  }).toThrow("is not a valid header name");
});
