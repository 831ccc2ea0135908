import { Fragment } from "react";

/** JSONView shows a value as JSON; secrets come masked from the server and are marked. */
export function JSONView({ value }: { value: unknown }) {
  return (
    <pre className="json">
      <Part value={value} depth={0} />
    </pre>
  );
}

const longest = 400; // items shown of a list

function Part({ value, depth }: { value: unknown; depth: number }) {
  const pad = "  ".repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return <>[]</>;
    return (
      <>
        {"[\n"}
        {value.slice(0, longest).map((v, i) => (
          <Fragment key={i}>
            {pad}
            {"  "}
            <Part value={v} depth={depth + 1} />
            {i + 1 < value.length ? ",\n" : "\n"}
          </Fragment>
        ))}
        {value.length > longest && `${pad}  … ${value.length - longest} more\n`}
        {pad}]
      </>
    );
  }
  if (typeof value === "object" && value !== null) {
    const all = Object.entries(value);
    if (all.length === 0) return <>{"{}"}</>;
    return (
      <>
        {"{\n"}
        {all.map(([k, v], i) => (
          <Fragment key={k}>
            {pad}
            {"  "}
            <span className="json-key">{JSON.stringify(k)}</span>
            {": "}
            <Part value={v} depth={depth + 1} />
            {i + 1 < all.length ? ",\n" : "\n"}
          </Fragment>
        ))}
        {pad}
        {"}"}
      </>
    );
  }
  if (typeof value === "string") return value === "•••" ? <span className="json-secret">•••</span> : <span className="json-string">{JSON.stringify(value)}</span>;
  return <span className="json-plain">{String(value)}</span>;
}
