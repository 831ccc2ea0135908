import type { CSSProperties } from "react";

/** The drawings of the studio: lines on a grid of 16 by 16. */
const lines: Record<string, string> = {
  // families of nodes
  user: "M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8Zm-5 5.4c.5-2.4 2.5-3.6 5-3.6s4.5 1.2 5 3.6",
  password: "M3.5 7.2h9v6h-9zM5.4 7V5.2a2.6 2.6 0 0 1 5.2 0V7M8 9.6v1.4",
  session: "M2.8 4.2h10.4v7.6H2.8zM2.8 6.6h10.4M5 9.4h2.6",
  apikey: "M6.2 9.8a2.9 2.9 0 1 1 2-2L13 12.6v1h-2v-1.4H9.6v-1.4L8.2 9.4M5.2 6.4h.01",
  code: "M4 3.4h8v9.2H4zM6.2 6h.01M8 6h.01M9.8 6h.01M6.2 8.2h.01M8 8.2h.01M9.8 8.2h.01M8 10.4h.01",
  factor: "M8 2.6 12.6 4v4c0 2.8-2 4.6-4.6 5.6C5.4 12.6 3.4 10.8 3.4 8V4zM6 8l1.4 1.4L10.2 6.6",
  data: "M8 6.4c2.8 0 4.6-.8 4.6-1.8S10.8 2.8 8 2.8s-4.6.8-4.6 1.8S5.2 6.4 8 6.4ZM3.4 4.6v6.8c0 1 1.8 1.8 4.6 1.8s4.6-.8 4.6-1.8V4.6M3.4 8c0 1 1.8 1.8 4.6 1.8s4.6-.8 4.6-1.8",
  mail: "M2.6 4h10.8v8H2.6zM3 4.6l5 4 5-4",
  http: "M8 13.4A5.4 5.4 0 1 0 8 2.6a5.4 5.4 0 0 0 0 10.8ZM2.8 8h10.4M8 2.8c3.4 3.2 3.4 7.2 0 10.4M8 2.8C4.6 6 4.6 10 8 13.2",
  token: "M5.6 2.8h4.8l2.8 5.2-2.8 5.2H5.6L2.8 8zM8 6.4v3.2",
  cache: "M8.6 2.6 4 9h3.4l-.8 4.6L12 7H8.4z",
  queue: "M3 4.2h10M3 8h10M3 11.8h6",
  log: "M4 2.8h5.4L12 5.4v7.8H4zM6 7.6h4M6 10.2h4M9.2 3v2.6h2.6",
  group: "M6 7.4a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm-3.8 5c.3-2 1.8-3 3.8-3s3.5 1 3.8 3M10.6 7.2a1.7 1.7 0 1 0-.6-3.3M11.2 9.4c1.5.2 2.4 1.1 2.7 2.7",
  flow: "M6.2 2.8h3.6v3H6.2zM2.6 10.2h3.6v3H2.6zM9.8 10.2h3.6v3H9.8zM8 5.8V8M4.4 10.2V8h7.2v2.2",
  node: "M8 2.6 12.8 5.3v5.4L8 13.4l-4.8-2.7V5.3zM3.4 5.4 8 8l4.6-2.6M8 8v5.2",
  // verbs
  trigger: "M8.8 2.4 4 9h3.6l-.8 4.6L12 7H8.2z",
  if: "M8 2.6 13.4 8 8 13.4 2.6 8z",
  switch: "M3 3v4h10v6M8 7v6M3 7v6M3 3h.01",
  each: "M3.2 6.6A5 5 0 0 1 12.4 5.6M12.8 9.4A5 5 0 0 1 3.6 10.4M12.6 3v2.8H9.8M3.4 13v-2.8h2.8",
  parallel: "M4.4 3v10M8 3v10M11.6 3v10",
  try: "M8 2.6 12.6 4v4c0 2.8-2 4.6-4.6 5.6C5.4 12.6 3.4 10.8 3.4 8V4z",
  let: "M3 5.6h10M3 10.4h10",
  send: "M3 8h9M8.6 4.4 12.2 8l-3.6 3.6",
  respond: "M13 4v3a2 2 0 0 1-2 2H3.4M6.4 5.8 3.2 9l3.2 3.2",
  fail: "M8 13.4A5.4 5.4 0 1 0 8 2.6a5.4 5.4 0 0 0 0 10.8ZM8 5.2v3.6M8 10.8h.01",
  return: "M13 4v3a2 2 0 0 1-2 2H3.4M6.4 5.8 3.2 9l3.2 3.2",
  // the studio itself
  search: "M7.2 11.8a4.6 4.6 0 1 0 0-9.2 4.6 4.6 0 0 0 0 9.2ZM10.6 10.6l3 3",
  plus: "M8 3.2v9.6M3.2 8h9.6",
  minus: "M3.2 8h9.6",
  fit: "M2.8 6V2.8H6M10 2.8h3.2V6M13.2 10v3.2H10M6 13.2H2.8V10",
  play: "M5 3.2 12.6 8 5 12.8z",
  stop: "M4.2 4.2h7.6v7.6H4.2z",
  forward: "M4 3.4 10 8l-6 4.6zM12 3.4v9.2",
  back: "M12 3.4 6 8l6 4.6zM4 3.4v9.2",
  undo: "M3 6.4h6.2a3.4 3.4 0 0 1 0 6.8H6M5.6 3.6 2.8 6.4l2.8 2.8",
  redo: "M13 6.4H6.8a3.4 3.4 0 0 0 0 6.8H10M10.4 3.6l2.8 2.8-2.8 2.8",
  save: "M3 3h8l2 2v8H3zM5.4 3v3h4.4V3M5.2 13V9.2h5.6V13",
  close: "M4 4l8 8M12 4l-8 8",
  right: "M6.2 3.6 10.6 8l-4.4 4.4",
  down: "M3.6 6.2 8 10.6l4.4-4.4",
  up: "M3.6 9.8 8 5.4l4.4 4.4",
  folder: "M2.4 4h3.8l1.4 1.6h6v6.8H2.4z",
  warning: "M8 2.8 14 13H2zM8 6.6v3M8 11.2h.01",
  error: "M8 13.4A5.4 5.4 0 1 0 8 2.6a5.4 5.4 0 0 0 0 10.8ZM8 5.2v3.6M8 10.8h.01",
  check: "M3 8.6 6.4 12 13 4.6",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2M3.5 3.5l.8.8M11.7 11.7l.8.8M12.5 3.5l-.8.8M4.3 11.7l-.8.8",
  system: "M8 13.4A5.4 5.4 0 1 0 8 2.6a5.4 5.4 0 0 0 0 10.8ZM8 2.6v10.8M8 5h3.8M8 8h5.2M8 11h3.8",
  moon: "M13 9.4A5.4 5.4 0 0 1 6.6 3a5.4 5.4 0 1 0 6.4 6.4Z",
  keyboard: "M2 4.4h12v7.2H2zM4.4 6.8h.01M6.8 6.8h.01M9.2 6.8h.01M11.6 6.8h.01M5.2 9.4h5.6",
  menu: "M2.8 4.4h10.4M2.8 8h10.4M2.8 11.6h10.4",
  more: "M4 8h.01M8 8h.01M12 8h.01",
  trash: "M3 4.6h10M6.2 4.6V3h3.6v1.6M4.4 4.6l.6 8.6h6l.6-8.6M6.8 7v4M9.2 7v4",
  copy: "M5.6 5.6h7.2v7.2H5.6zM3.2 10.4V3.2h7.2",
  live: "M2.4 8h2.4l1.6-4.4 3 8.8L11.2 8h2.4",
  book: "M8 4.4C6.6 3.4 4.8 3 2.6 3v9c2.2 0 4 .4 5.4 1.4 1.4-1 3.2-1.4 5.4-1.4V3c-2.2 0-4 .4-5.4 1.4ZM8 4.4v9",
  table: "M2.6 3.6h10.8v8.8H2.6zM2.6 6.6h10.8M6.4 6.6v5.8",
  audit: "M4 2.8h8v10.4H4zM6 5.8h4M6 8.2h4M6 10.6h2.4",
  beaker: "M6 2.6h4M6.8 2.8v3.4L3.4 12c-.4.8 0 1.4.8 1.4h7.6c.8 0 1.2-.6.8-1.4L9.2 6.2V2.8M5 9.6h6",
  clock: "M8 13.4A5.4 5.4 0 1 0 8 2.6a5.4 5.4 0 0 0 0 10.8ZM8 5v3.2l2.2 1.4",
  panel: "M2.4 3.2h11.2v9.6H2.4zM10 3.2v9.6",
  drawer: "M2.4 3.2h11.2v9.6H2.4zM2.4 9.4h11.2",
  home: "M2.8 7.4 8 3l5.2 4.4M4.2 6.6v6.4h7.6V6.6",
  edit: "M3 13l.6-2.8 7-7 2.2 2.2-7 7z",
  filter: "M2.8 3.6h10.4L9.4 8.4v4l-2.8-1.2V8.4z",
  dot: "M8 8h.01",
  refresh: "M13 7.8A5 5 0 1 1 11.4 4.2L13 5.8M13 2.8v3h-3",
  mask: "M2.4 8S4.4 4.4 8 4.4 13.6 8 13.6 8 11.6 11.6 8 11.6 2.4 8 2.4 8ZM3.4 12.6l9.2-9.2",
};

/** family names the drawing of a node by the first part of its name. */
export function family(node: string): string {
  const name = node.split(".", 1)[0] ?? "";
  return name in lines ? name : "node";
}

export function Icon({ name, size = 16, style }: { name: string; size?: number; style?: CSSProperties }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false" style={style}>
      <path d={lines[name] ?? lines.node} />
    </svg>
  );
}
