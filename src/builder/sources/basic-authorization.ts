/** An Authorization header of a user and a password as they are. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** An Authorization header of a user and a password as a URL has them: percent-encoded, or not quite. */
export function basicAuthorizationOfUrl(user: string, password: string): string {
  return basicAuthorization(decode(user), decode(password));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
