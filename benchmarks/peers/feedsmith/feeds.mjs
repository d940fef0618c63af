// The feeds that feedpub makes, with gray-matter and feedsmith: node feeds.mjs RECORDS OUT
//
// Everything, each topic and each provider, the newest 20 records of each, as RSS, Atom and JSON.
// Reading and writing are synchronous: on files in the system's cache that takes a third of the time
// that promises take, with 32 files at once. Further threads read when there are many records: the
// second gains nothing at 10,000, and a fifth of the time at 100,000.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { generateAtomFeed, generateJsonFeed, generateRssFeed } from "feedsmith";
import matter from "gray-matter";

const SITE = "https://feeds.example.org/";
const HOME = "https://example.org/";
const TITLE = "Benchmark news";
const NEWEST = 20;
const PER_THREAD = 20000; // records
const TYPES = { ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp" };

const [folder, out] = process.argv.slice(2);

const slug = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");

/** What feeds need of a record; null for one that is not published. */
function read(text) {
  const { data, content } = matter(text, {}); // with options gray-matter keeps no cache
  if (data.published === false) return null;
  const image = data.images?.[0];
  return {
    title: data.title,
    link: data.webUrl,
    summary: data.excerpt,
    content: content.trim(),
    date: data.publishedDateTime,
    topics: data.topics ?? [],
    provider: data.provider,
    image: image && { ...image, type: TYPES[extname(image.url)] ?? "image/jpeg" },
  };
}

const readAll = (paths) =>
  paths.map((path) => read(readFileSync(path, "utf8"))).filter((record) => record);

/** Before a: b is newer; addresses part records of one second. */
const newerFirst = (a, b) => b.date - a.date || (a.link < b.link ? -1 : 1);

function rssItem(record) {
  const { image, provider } = record;
  return {
    title: record.title,
    link: record.link,
    description: record.summary,
    content: record.content ? { encoded: record.content } : undefined,
    guid: { value: record.link, isPermaLink: true },
    categories: record.topics.map((name) => ({ name, domain: `${SITE}topics/` })),
    enclosures: image && [{ url: image.url, length: 0, type: image.type }],
    source: { title: provider.name, url: `${SITE}providers/${slug(provider.name)}/rss.xml` },
    pubDate: record.date,
    dc: { creators: [provider.name] },
    media: image && {
      contents: [
        {
          url: image.url,
          type: image.type,
          medium: "image",
          width: image.width,
          height: image.height,
        },
      ],
    },
  };
}

function atomEntry(record) {
  const { image, provider } = record;
  const home = `https://${provider.domain}/`;
  const feed = `providers/${slug(provider.name)}`;
  const links = [{ href: record.link }];
  if (image) links.push({ href: image.url, rel: "enclosure", type: image.type });
  return {
    id: record.link,
    title: { value: record.title },
    updated: record.date,
    published: record.date,
    authors: [{ name: provider.name, uri: home }],
    content: record.content ? { type: "html", value: record.content } : undefined,
    links,
    summary: { value: record.summary },
    categories: record.topics.map((name) => ({
      term: name,
      scheme: `${SITE}topics/`,
      label: name,
    })),
    source: {
      id: `${SITE}${feed}`,
      title: { value: provider.name },
      updated: record.date,
      links: [
        { href: `${SITE}${feed}/atom.xml`, rel: "self", type: "application/atom+xml" },
        { href: home, rel: "alternate" },
      ],
    },
  };
}

function jsonItem(record) {
  const { image, provider } = record;
  return {
    id: record.link,
    url: record.link,
    title: record.title,
    content_html: record.content || undefined,
    content_text: record.content ? undefined : record.summary,
    summary: record.summary,
    image: image?.url,
    date_published: record.date,
    date_modified: record.date,
    authors: [{ name: provider.name, url: `https://${provider.domain}/` }],
    tags: record.topics,
    attachments: image && [{ url: image.url, mime_type: image.type }],
  };
}

/** The three files of one feed; items are made once however many feeds they are in. */
function* files(path, title, records) {
  const address = (name) => SITE + path + name;
  const updated = records[0].date;
  const items = records.map((record) => {
    record.items ??= { rss: rssItem(record), atom: atomEntry(record), json: jsonItem(record) };
    return record.items;
  });
  const rss = { href: address("rss.xml"), type: "application/rss+xml" };
  const atom = { href: address("atom.xml"), type: "application/atom+xml" };
  const json = { href: address("feed.json"), type: "application/feed+json" };
  yield [
    `${path}rss.xml`,
    generateRssFeed({
      title,
      link: HOME,
      description: title,
      language: "en",
      lastBuildDate: updated,
      pubDate: updated,
      atom: {
        links: [
          { ...rss, rel: "self" },
          { ...atom, rel: "alternate" },
          { ...json, rel: "alternate" },
        ],
      },
      items: items.map((item) => item.rss),
    }),
  ];
  yield [
    `${path}atom.xml`,
    generateAtomFeed({
      id: address(""),
      title: { value: title },
      subtitle: { value: title },
      updated,
      authors: [{ name: TITLE, uri: HOME }],
      links: [
        { href: HOME, rel: "alternate", type: "text/html" },
        { ...rss, rel: "alternate" },
        { ...atom, rel: "self" },
        { ...json, rel: "alternate" },
      ],
      entries: items.map((item) => item.atom),
    }),
  ];
  yield [
    `${path}feed.json`,
    JSON.stringify(
      generateJsonFeed({
        title,
        home_page_url: HOME,
        feed_url: json.href,
        description: title,
        language: "en",
        authors: [{ name: TITLE, url: HOME }],
        items: items.map((item) => item.json),
      }),
    ),
  ];
}

/** The records of all files, in any order. */
async function readInThreads(paths) {
  const threads = Math.min(availableParallelism(), Math.ceil(paths.length / PER_THREAD));
  const share = Math.ceil(paths.length / threads);
  const others = [];
  for (let start = share; start < paths.length; start += share) {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: paths.slice(start, start + share),
    });
    others.push(
      new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject)),
    );
  }
  return [readAll(paths.slice(0, share)), ...(await Promise.all(others))].flat();
}

async function main() {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const records = await readInThreads(paths);
  records.sort(newerFirst);

  const feeds = new Map([["", { title: TITLE, records: records.slice(0, NEWEST) }]]);
  function add(kind, name, record) {
    const path = `${kind}/${slug(name)}/`;
    const feed = feeds.get(path);
    if (!feed) feeds.set(path, { title: `${name} – ${TITLE}`, records: [record] });
    else if (feed.records.length < NEWEST) feed.records.push(record);
  }
  for (const record of records) {
    for (const topic of record.topics) add("topics", topic, record);
    add("providers", record.provider.name, record);
  }

  for (const [path, feed] of feeds) {
    mkdirSync(join(out, path), { recursive: true });
    for (const [name, text] of files(path, feed.title, feed.records)) {
      writeFileSync(join(out, name), text);
    }
  }
}

if (isMainThread) await main();
else parentPort.postMessage(readAll(workerData));
