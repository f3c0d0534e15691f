import { isDigest } from "../../oci/index.ts";
import { CATALOG_SCOPE, repositoryScope } from "../auth/scope.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { ownTarget, parseNextLink } from "../link.ts";
import { BodyTooLongError, readBody } from "../transport/exchange.ts";
import type { Answer } from "../transport/sender.ts";

/** ECR refuses more. */
const PAGE_SIZE = 1000;
const MAX_PAGES = 10_000;
const MAX_PAGE_BYTES = 32 * 1024 * 1024;

interface ListRequest {
  readonly what: string;
  readonly path: string;
  readonly member: "tags" | "repositories";
  readonly request: Pick<RegistryRequest, "scopes" | "repository" | "signal">;
}

/**
 * The tags of a repository, page by page as they come, each once, in the registry's order.
 * @throws {RegistryError} NOT_FOUND when there is no such repository
 */
export async function* listTags(
  session: HostSession,
  { repository, signal }: { readonly repository: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<readonly string[], void, undefined> {
  const pages = list(session, {
    what: `list the tags of "${session.registry}/${repository}"`,
    path: `${repository}/tags/list`,
    member: "tags",
    request: { scopes: [repositoryScope(repository, "pull")], repository, signal },
  });
  // Some registries list what was pushed by digest too.
  for await (const page of pages) yield page.filter((tag) => !isDigest(tag) && !/^sha256__/.test(tag));
}

/**
 * The repositories of a registry, where it tells them.
 * @throws {RegistryError} UNSUPPORTED where it does not
 */
export async function* listRepositories(
  session: HostSession,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<readonly string[], void, undefined> {
  try {
    yield* list(session, {
      what: `list the repositories of ${session.registry}`,
      path: "_catalog",
      member: "repositories",
      request: { scopes: [CATALOG_SCOPE], signal },
    });
  } catch (error) {
    if (!(error instanceof RegistryError) || ![401, 403, 404, 405].includes(error.status ?? 0)) throw error;
    throw new RegistryError("UNSUPPORTED", `${error.message}: it has no list of repositories for us`, {
      registry: session.registry,
      status: error.status,
      errors: error.errors,
      cause: error,
      hint: error.status === 401 ? error.hint : undefined,
    });
  }
}

async function* list(
  session: HostSession,
  listing: ListRequest,
): AsyncGenerator<readonly string[], void, undefined> {
  const seenPages = new Set<string>();
  const seenItems = new Set<string>();
  let target: string | URL = `${listing.path}?n=${PAGE_SIZE}`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: Answer = await fetchPage(session, listing, target, page === 0);
    const link = parseNextLink(answer.headers.all("link"));
    const items = (await readItems(session, listing, answer)).filter(
      (item) => !seenItems.has(item) && seenItems.add(item),
    );
    if (items.length > 0) yield items;
    if (link === undefined) return;
    const next = nextTarget(listing.path, link, answer.url);
    const key = String(next);
    if (seenPages.has(key) || items.length === 0) {
      session.warn(`The list of ${listing.member} goes round in circles; it may be incomplete`);
      return;
    }
    seenPages.add(key);
    target = next;
  }
}

async function fetchPage(
  session: HostSession,
  listing: ListRequest,
  target: string | URL,
  isFirst: boolean,
): Promise<Answer> {
  const { what, path, request } = listing;
  const get = (at: string | URL): RegistryRequest => ({
    ...request,
    what,
    method: "GET",
    target: at,
    documentBytes: MAX_PAGE_BYTES,
  });
  const answer = await session.request(get(target));
  if (answer.status === 200) return answer;
  // Some know no page size; some name the next page by a path that only their own proxy understands.
  const again = isFirst
    ? answer.status >= 400 && answer.status < 500 && answer.status !== 403 && answer.status !== 404
      ? path
      : undefined
    : answer.status === 404 && target instanceof URL
      ? `${path}${target.search}`
      : undefined;
  if (again === undefined) throw await session.refuse(answer, get(target));
  answer.body.discard();
  const second = await session.request(get(again));
  if (second.status !== 200) throw await session.refuse(second, get(again));
  return second;
}

/** Only the path and query of the link count: credentials stay with this registry. */
function nextTarget(path: string, link: string, answeredBy: URL): string | URL {
  return ownTarget(link, answeredBy) ?? `${path}${link.replace(/^[^?]*/, "")}`;
}

async function readItems(
  session: HostSession,
  { what, member }: ListRequest,
  answer: Answer,
): Promise<readonly string[]> {
  const fail = (fault: string): RegistryError =>
    new RegistryError("BAD_RESPONSE", `Cannot ${what}: ${session.endpoint.host} sent ${fault}`, {
      registry: session.registry,
      status: answer.status,
    });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(await readBody(answer.body, MAX_PAGE_BYTES)).toString("utf8"));
  } catch (error) {
    if (error instanceof BodyTooLongError) throw fail(error.message);
    if (error instanceof SyntaxError) throw fail("no JSON");
    throw error;
  }
  const items =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[member] : undefined;
  if (items === null || items === undefined) return [];
  if (!Array.isArray(items)) throw fail(`"${member}" that is no list`);
  return items.filter((item): item is string => typeof item === "string" && item !== "");
}
