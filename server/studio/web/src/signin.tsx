import { useState } from "react";
import { token } from "./api";
import type { Access } from "./wire";
import { refresh } from "./workspace";

/** SignIn asks for a session through the application's own flow. */
export function SignIn({ access }: { access: Access }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [given, setGiven] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const enter = async () => {
    setBusy(true);
    setWrong("");
    try {
      if (access.signIn) {
        const r = await fetch(access.signIn, { method: "POST", headers: { "Content-Type": "application/json" }, credentials: "same-origin", body: JSON.stringify({ email, password }) });
        const body = (await r.json()) as { session?: { token?: string }; errors?: { message?: string }[]; secondFactor?: string };
        if (!r.ok) throw new Error(body.errors?.[0]?.message ?? `The server answered ${r.status}.`);
        if (!body.session) throw new Error("This account has a second factor. Sign in to your application and paste the token of that session.");
        token.set(body.session.token ?? "");
      } else {
        token.set(given.trim());
      }
      await refresh();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  const stale = token.get() !== "" && !access.open;
  return (
    <main className="starting">
      <form
        className="sign-in stack"
        onSubmit={(e) => {
          e.preventDefault();
          void enter();
        }}
      >
        <h1>{access.name || "Sluice studio"}</h1>
        <p className="soft">{access.group ? `The studio is for sessions of the group ${access.group}.` : "The studio is not open here."}</p>
        {stale && <p className="notice warn">The session that you have is not good for the studio.</p>}
        {access.signIn ? (
          <>
            <div className="field">
              <label htmlFor="email">E-mail</label>
              <input id="email" className="input" type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.target.value)} />
            </div>
            <div className="field">
              <label htmlFor="password">Password</label>
              <input id="password" className="input" type="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.target.value)} />
            </div>
          </>
        ) : (
          <div className="field">
            <label htmlFor="token">Token of a session</label>
            <input id="token" className="input mono" type="password" autoComplete="off" required value={given} onChange={(e) => setGiven(e.target.value)} />
          </div>
        )}
        {wrong && (
          <p className="notice bad" role="alert">
            {wrong}
          </p>
        )}
        <button className="button strong" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
