/**
 * A text in which URLs may hold credentials, without them: all of the user part for http, where it may be a token
 * alone, else the password. For messages, names of steps and the history of images.
 */
export function redactCredentials(text: string): string {
  return text
    .replace(/\b(https?:\/\/)[^/?#@\s"']+@/gi, "$1xxxxx@")
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^/?#@:\s"']*):[^/?#@\s"']*@/gi, "$1:xxxxx@");
}
