import { useEffect, useId, useRef, useState } from "react";
import { api } from "../api";
import { desk, typing } from "../desk";
import { Icon } from "../part/icon";
import type { Offer } from "../wire";

interface Props {
  label: string;
  place?: string; // asks the server what could stand there
  words?: string[]; // or these
  text: string;
  placeholder?: string;
  many?: boolean; // of lines
  wrong?: boolean;
  off?: boolean;
  describedBy?: string;
  commit: (text: string) => void;
}

/**
 * Combo is a line of text with offers. It is written when it is left or Enter is
 * pressed, so that one value is one change.
 */
export function Combo({ label, place, words, text, placeholder, many, wrong, off, describedBy, commit }: Props) {
  const [typed, setTyped] = useState(text);
  const [open, setOpen] = useState(false);
  const [offers, setOffers] = useState<Offer[]>([]);
  const [on, setOn] = useState(-1);
  const list = useId();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const question = useRef<AbortController | null>(null);
  const written = useRef(text);
  useEffect(() => {
    setTyped(text);
    written.current = text;
  }, [text]);
  useEffect(() => () => question.current?.abort(), []);

  const ask = async (all: boolean, now: string) => {
    const word = all ? "" : now.trim().toLowerCase();
    const fits = (o: Offer) => !word || o.text.toLowerCase().includes(word) || o.label.toLowerCase().includes(word);
    if (words) {
      setOffers(words.map((w) => ({ label: w, text: w, from: 0, kind: "word", detail: "", doc: "", fits: true })).filter(fits));
      setOpen(true);
      return;
    }
    if (!place) return;
    question.current?.abort();
    const mine = (question.current = new AbortController());
    try {
      const { file, text: whole } = desk.get();
      const got = await api.complete({ file, text: whole, place, line: 0, column: 0 }, mine.signal);
      if (mine.signal.aborted) return;
      setOffers(got.offers.filter(fits).slice(0, 80));
      setOpen(true);
      setOn(-1);
    } catch {
      // A form without offers is still a form.
    }
  };
  const write = (value: string) => {
    question.current?.abort(); // offers that come late would stand in the way
    setOpen(false);
    if (value === written.current) return;
    written.current = value;
    commit(value);
  };
  const latest = useRef(() => {});
  latest.current = () => write(typed);
  const take = (o: Offer) => {
    setTyped(o.text);
    write(o.text);
    input.current?.focus();
  };
  const Tag = many ? "textarea" : "input";
  const shown = open && offers.length > 0;
  return (
    <span className="combo">
      <Tag
        ref={input}
        className={"input" + (/^[$=]|\{\$/.test(typed) ? " mono reference" : "")}
        role={place || words ? "combobox" : undefined}
        aria-label={label}
        aria-expanded={place || words ? shown : undefined}
        aria-controls={shown ? list : undefined}
        aria-autocomplete={place || words ? "list" : undefined}
        aria-activedescendant={shown && on >= 0 ? list + on : undefined}
        aria-invalid={wrong || undefined}
        aria-describedby={describedBy}
        autoComplete="off"
        spellCheck={false}
        disabled={off}
        placeholder={placeholder}
        value={typed}
        rows={many ? Math.min(8, Math.max(2, typed.split("\n").length)) : undefined}
        onFocus={() => {
          typing.set(() => latest.current());
          void ask(true, typed);
        }}
        onChange={(e) => {
          setTyped(e.target.value);
          void ask(false, e.target.value);
        }}
        onBlur={() => {
          setOpen(false);
          typing.set(null);
          write(typed);
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
            write(typed); // and on to whoever listens for these keys
            return;
          }
          if (e.key === "ArrowDown" && !many) {
            if (shown) setOn((on + 1) % offers.length);
            else void ask(true, typed);
          } else if (e.key === "ArrowUp" && shown && !many) setOn((on - 1 + offers.length) % offers.length);
          else if (e.key === "Enter" && !many) {
            const o = offers[on];
            if (shown && o) take(o);
            else write(typed);
          } else if (e.key === "Escape" && (shown || typed !== text)) {
            if (shown) setOpen(false);
            else setTyped(text);
          } else return;
          e.preventDefault();
          e.stopPropagation();
        }}
      />
      {shown && (
        <span className="offers scroll" role="listbox" id={list} aria-label={"Offers for " + label}>
          {offers.map((o, i) => (
            <span
              key={o.text + i}
              id={list + i}
              role="option"
              aria-selected={i === on}
              className={"option" + (o.fits ? "" : " unfit")}
              onPointerDown={(e) => {
                e.preventDefault();
                take(o);
              }}
            >
              <Icon name={o.kind === "reference" ? "let" : o.kind === "node" ? "node" : o.kind === "code" ? "fail" : "dot"} size={13} />
              <span className="grow cut mono">{o.label}</span>
              <span className="faint cut offer-kind">{o.detail}</span>
            </span>
          ))}
        </span>
      )}
    </span>
  );
}
