/** Pager leads from page to page of a list. */
export function Pager({ back, on, words = ["Newer", "Older"] }: { back?: () => void; on?: () => void; words?: [string, string] }) {
  if (!back && !on) return null;
  return (
    <div className="row pager">
      <button className="button" disabled={!back} onClick={back}>
        {words[0]}
      </button>
      <button className="button" disabled={!on} onClick={on}>
        {words[1]}
      </button>
    </div>
  );
}
