// The feeds that feedpub makes, and nothing else: eleventy --input=records --output=OUT

import { rssPlugin } from "@11ty/eleventy-plugin-rss";

const SITE = "https://feeds.example.org/";
const HOME = "https://example.org/";
const TITLE = "Benchmark news";
const NEWEST = 20;

const RSS = `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel>
<title>{{ feed.title }}</title>
<link>${HOME}</link>
<description>{{ feed.title }}</description>
<language>en</language>
<lastBuildDate>{{ feed.updated | dateToRfc822 }}</lastBuildDate>
<atom:link href="${SITE}{{ feed.path }}rss.xml" rel="self" type="application/rss+xml"/>
{%- for item in feed.items %}
{%- set data = item.data %}
<item>
<title>{{ data.title }}</title>
<link>{{ data.webUrl }}</link>
<description>{{ data.excerpt }}</description>
{%- if item.content %}
<content:encoded>{{ item.content }}</content:encoded>
{%- endif %}
<guid isPermaLink="true">{{ data.webUrl }}</guid>
<pubDate>{{ data.publishedDateTime | dateToRfc822 }}</pubDate>
{%- for topic in data.topics %}
<category domain="${SITE}topics/">{{ topic }}</category>
{%- endfor %}
<source url="${SITE}providers/{{ data.provider.name | slug }}/rss.xml">{{ data.provider.name }}</source>
<dc:creator>{{ data.provider.name }}</dc:creator>
{%- set image = data.images[0] %}
<enclosure url="{{ image.url }}" length="0" type="image/jpeg"/>
<media:content url="{{ image.url }}" type="image/jpeg" medium="image" width="{{ image.width }}" height="{{ image.height }}"/>
</item>
{%- endfor %}
</channel>
</rss>
`;

const ATOM = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>${SITE}{{ feed.path }}</id>
<title>{{ feed.title }}</title>
<subtitle>{{ feed.title }}</subtitle>
<updated>{{ feed.updated | dateToRfc3339 }}</updated>
<author><name>${TITLE}</name><uri>${HOME}</uri></author>
<link href="${HOME}" rel="alternate" type="text/html"/>
<link href="${SITE}{{ feed.path }}atom.xml" rel="self" type="application/atom+xml"/>
{%- for item in feed.items %}
{%- set data = item.data %}
<entry>
<id>{{ data.webUrl }}</id>
<title>{{ data.title }}</title>
<updated>{{ data.publishedDateTime | dateToRfc3339 }}</updated>
<published>{{ data.publishedDateTime | dateToRfc3339 }}</published>
<author><name>{{ data.provider.name }}</name><uri>https://{{ data.provider.domain }}/</uri></author>
{%- if item.content %}
<content type="html">{{ item.content }}</content>
{%- endif %}
<link href="{{ data.webUrl }}"/>
<summary>{{ data.excerpt }}</summary>
{%- for topic in data.topics %}
<category term="{{ topic }}" scheme="${SITE}topics/" label="{{ topic }}"/>
{%- endfor %}
<link href="{{ data.images[0].url }}" rel="enclosure" type="image/jpeg"/>
</entry>
{%- endfor %}
</feed>
`;

// By hand in a template language JSON would be slower and no better.
const JSON_FEED = `{{ feed | jsonFeed | dump | safe }}`;

const slug = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");

function jsonFeed({ path, title, items }) {
  return {
    version: "https://jsonfeed.org/version/1.1",
    title,
    home_page_url: HOME,
    feed_url: `${SITE}${path}feed.json`,
    description: title,
    language: "en",
    authors: [{ name: TITLE, url: HOME }],
    items: items.map(({ content, data }) => ({
      id: data.webUrl,
      url: data.webUrl,
      title: data.title,
      content_html: content || undefined,
      content_text: content ? undefined : data.excerpt,
      summary: data.excerpt,
      image: data.images[0].url,
      date_published: data.publishedDateTime,
      date_modified: data.publishedDateTime,
      authors: [{ name: data.provider.name, url: `https://${data.provider.domain}/` }],
      tags: data.topics,
      attachments: [{ url: data.images[0].url, mime_type: "image/jpeg" }],
    })),
  };
}

/** Everything, each topic and each provider, with the newest records. */
function group(records) {
  records.sort((a, b) => b.data.publishedDateTime - a.data.publishedDateTime);
  const feeds = new Map([["", { path: "", title: TITLE, items: records.slice(0, NEWEST) }]]);
  const add = (kind, name, record) => {
    const path = `${kind}/${slug(name)}/`;
    if (!feeds.has(path)) feeds.set(path, { path, title: `${name} – ${TITLE}`, items: [] });
    const { items } = feeds.get(path);
    if (items.length < NEWEST) items.push(record);
  };
  for (const record of records) {
    for (const topic of record.data.topics) add("topics", topic, record);
    add("providers", record.data.provider.name, record);
  }
  return [...feeds.values()].map((feed) => ({
    ...feed,
    updated: feed.items[0].data.publishedDateTime,
  }));
}

export default function (config) {
  config.addPlugin(rssPlugin);
  config.addFilter("jsonFeed", jsonFeed);
  config.addFilter("slug", slug);
  config.addGlobalData("permalink", false); // records are in feeds only
  config.addCollection("feeds", (api) =>
    group(api.getAll().filter(({ data }) => data.provider && data.published !== false)),
  );
  const templates = { "rss.xml": RSS, "atom.xml": ATOM, "feed.json": JSON_FEED };
  for (const [name, template] of Object.entries(templates)) {
    config.addTemplate(`${name}.njk`, template, {
      pagination: { data: "collections.feeds", size: 1, alias: "feed" },
      permalink: `{{ feed.path }}${name}`,
      eleventyExcludeFromCollections: true,
      layout: false,
    });
  }
  return { markdownTemplateEngine: false };
}
