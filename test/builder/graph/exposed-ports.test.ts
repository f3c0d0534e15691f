import { describe, expect, it } from "vitest";
import { parseExposedPort } from "../../../src/builder/graph/exposed-ports.ts";

describe("parseExposedPort()", () => {
  it.each([
    ["80", ["80/tcp"]],
    ["53/udp", ["53/udp"]],
    ["53/UDP", ["53/udp"]],
    ["7000-7002", ["7000/tcp", "7001/tcp", "7002/tcp"]],
    ["8080:80", ["80/tcp"]],
    ["127.0.0.1:8080:80/sctp", ["80/sctp"]],
    ["[::1]:8080:80", ["80/tcp"]],
    ["8000-8001:80-81", ["80/tcp", "81/tcp"]],
    ["0", ["0/tcp"]],
  ])("reads %s", (text, expected) => {
    expect(parseExposedPort(text)).toEqual(expected);
  });

  it.each(["", "abc", "70000", "80-79", "80/icmp", "/tcp", "1.2.3:80:80", "x:80", "1-3:80-81"])(
    "rejects %j as invalid",
    (text) => {
      expect(() => parseExposedPort(text)).toThrow(/invalid/);
    },
  );
});
