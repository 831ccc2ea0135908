import { Fragment, useEffect, useState } from "react";
import { api, type Mail } from "../api";
import { Icon } from "../part/icon";
import { Sheet, useLoad, when } from "./load";

/** Mailbox shows the mails that are kept in development in place of being sent. */
export function Mailbox() {
  const { got, wrong, again } = useLoad(() => api.mail(), []);
  const [id, setID] = useState("");
  const [html, setHTML] = useState(false);
  useEffect(() => {
    const timer = setInterval(again, 4000);
    return () => clearInterval(timer);
  }, [again]);
  const mails = got?.mails ?? [];
  const mail = mails.find((m) => m.id === id) ?? mails[0];
  return (
    <Sheet
      title="Mailbox"
      about="There is no mail server, so mails are kept here, in memory"
      wrong={wrong}
      loading={!got}
      tools={
        <button className="button" onClick={again}>
          <Icon name="refresh" size={14} />
          Look again
        </button>
      }
    >
      {mails.length === 0 ? (
        <div className="empty">
          <Icon name="mail" size={24} />
          <p>No mail yet. What flows send appears here.</p>
        </div>
      ) : (
        <div className="reference mails">
          <nav className="reference-list scroll" aria-label="Mails" tabIndex={-1}>
            {mails.map((m) => (
              <button key={m.id} className="option mail" aria-current={m === mail ? "true" : undefined} onClick={() => setID(m.id)}>
                <span className="grow">
                  <b className="cut">{m.subject}</b>
                  <span className="faint cut">
                    {m.to} · {when(m.sentAt)}
                  </span>
                </span>
              </button>
            ))}
          </nav>
          <article className="reference-detail scroll" tabIndex={0} aria-label="The mail">
            {mail && (
              <>
                <h2>{mail.subject}</h2>
                <p className="soft">
                  to {mail.to}, {new Date(mail.sentAt).toLocaleString()}
                </p>
                {mail.html && (
                  <div className="segments" role="radiogroup" aria-label="Text or HTML">
                    <button role="radio" aria-checked={!html} onClick={() => setHTML(false)}>
                      Text
                    </button>
                    <button role="radio" aria-checked={html} onClick={() => setHTML(true)}>
                      HTML
                    </button>
                  </div>
                )}
                {html && mail.html ? <iframe className="mail-html" sandbox="" srcDoc={mail.html} title="The mail as HTML" /> : <Text mail={mail} />}
              </>
            )}
          </article>
        </div>
      )}
    </Sheet>
  );
}

/** Text is the mail with links that can be followed. */
function Text({ mail }: { mail: Mail }) {
  const parts = mail.text.split(/(https?:\/\/[^\s<>"]+)/);
  return (
    <pre className="mail-text">
      {parts.map((p, i) => (
        <Fragment key={i}>
          {i % 2 === 1 ? (
            <a href={p} rel="noreferrer" target="_blank">
              {p}
            </a>
          ) : (
            p
          )}
        </Fragment>
      ))}
    </pre>
  );
}
