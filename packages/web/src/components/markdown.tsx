import { Children, memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeSanitize, { defaultSchema } from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import { linkHost, saysAddress } from "../state/link-host.ts";

/** Text of a model or a user is hostile: no raw HTML, no images, no ids, and links that say where they lead. */
const SCHEMA = {
  ...defaultSchema,
  tagNames: (defaultSchema.tagNames ?? []).filter((name) => name !== "img" && name !== "picture" && name !== "source"),
  protocols: { href: ["http", "https", "mailto"] },
};

const COMPONENTS: Components = {
  img: () => null,
  // What scrolls sideways must be reachable by keyboard (WCAG 2.1.1).
  /* oxlint-disable jsx-a11y/no-noninteractive-tabindex */
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }) => <table tabIndex={0}>{children}</table>,
  /* oxlint-enable jsx-a11y/no-noninteractive-tabindex */
  a: ({ href, children }) => {
    const host = linkHost(href);
    if (host === null) return <>{children}</>;
    const told = saysAddress(textOf(children), href);
    return (
      <a href={href} target="_blank" rel="noreferrer noopener">
        {children}
        {!told && <span className="ml-1 text-small text-ink-3 no-underline">({host})</span>}
      </a>
    );
  },
};

/** Empty where there is more than plain text. */
const textOf = (children: ReactNode): string => {
  const parts = Children.toArray(children);
  return parts.every((part) => typeof part === "string") ? parts.join("") : "";
};

const REMARK = [remarkGfm];
const REHYPE = [[rehypeSanitize, SCHEMA] as [typeof rehypeSanitize, typeof SCHEMA]];

/** Markdown as safe elements. */
export const Markdown = memo(function Markdown({ text }: { readonly text: string }) {
  return (
    <div className="prose">
      <ReactMarkdown remarkPlugins={REMARK} rehypePlugins={REHYPE} components={COMPONENTS} skipHtml>
        {text}
      </ReactMarkdown>
    </div>
  );
});
