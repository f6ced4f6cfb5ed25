const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/** Cuts bytes into the data of server-sent events (WHATWG HTML section 9.2.6), however the bytes come. */
export type SseSplitter = {
  /** The data of the events that these bytes complete. @throws RangeError for an event over 16 Mi characters */
  push(bytes: Uint8Array): readonly string[];
};

/** Names, ids and comments of events are left out: the formats say all in the data. */
export function sseSplitter(): SseSplitter {
  const decoder = new TextDecoder();
  let line = "";
  let searched = 0;
  let data: string | undefined;
  let returned = false;

  const endLine = (text: string): string | undefined => {
    if (text !== "") {
      const part = dataOf(text);
      if (part !== undefined) data = data === undefined ? part : `${data}\n${part}`;
      return undefined;
    }
    const whole = data;
    data = undefined;
    return whole;
  };
  const add = (bytes: Uint8Array) => {
    // A return at the end of a chunk may be the first half of one line end.
    const text = (returned ? "\r" : "") + decoder.decode(bytes, { stream: true });
    returned = text.endsWith("\r");
    const held = returned ? text.slice(0, -1) : text;
    line += held.includes("\r") ? held.replaceAll(/\r\n?/g, "\n") : held;
  };
  return {
    push(bytes) {
      add(bytes);
      const events: string[] = [];
      for (let end = line.indexOf("\n", searched); end >= 0; end = line.indexOf("\n", searched)) {
        const event = endLine(line.slice(0, end));
        if (event !== undefined) events.push(event);
        line = line.slice(end + 1);
        searched = 0;
      }
      searched = line.length;
      if (line.length + (data?.length ?? 0) > MAX_EVENT_CHARACTERS) throw new RangeError("An event is too large.");
      return events;
    },
  };
}

function dataOf(line: string): string | undefined {
  if (line === "data") return "";
  if (!line.startsWith("data:")) return undefined;
  return line.startsWith("data: ") ? line.slice(6) : line.slice(5);
}

/** An event without a name. */
export function dataEvent(body: object): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

/** An event that is named as its body's type. */
export function typedEvent(body: Readonly<Record<string, unknown>> & { readonly type: string }): string {
  return `event: ${body.type}\n${dataEvent(body)}`;
}
