"use client";

import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useState } from "react";
import { Button } from "#ui/button.tsx";

/** A short message. `requestId` is shown with a fault, so that an operator can find it in the log. */
export type Message = { tone: "good" | "bad"; title: string; text?: string; requestId?: string | null };

type Shown = Message & { key: number };

const Context = createContext<(message: Message) => void>(() => undefined);

/** Gives the page's parts a way to say that something was done or went wrong. */
export function ToasterProvider({ children }: { children: ReactNode }) {
  const [messages, setMessages] = useState<readonly Shown[]>([]);
  const show = useCallback((message: Message) => {
    setMessages((known) => [...known.slice(-2), { ...message, key: Date.now() + Math.random() }]);
  }, []);
  return (
    <Context value={show}>
      {children}
      {/* While there is nothing to say there is nothing to render on the server, where its inline style would be blocked. */}
      {messages.length > 0 && (
        <Toast.Provider swipeDirection="right" label="Message">
          {messages.map((message) => (
            <ToastCard
              key={message.key}
              message={message}
              onClose={() => setMessages((known) => known.filter(({ key }) => key !== message.key))}
            />
          ))}
          <Toast.Viewport className="fixed right-4 bottom-4 z-50 grid w-[calc(100vw-2rem)] max-w-sm gap-2" />
        </Toast.Provider>
      )}
    </Context>
  );
}

/** Shows a message in the corner. */
export function useToast(): (message: Message) => void {
  return useContext(Context);
}

function ToastCard({ message, onClose }: { message: Message; onClose: () => void }) {
  const Icon = message.tone === "good" ? CircleCheck : CircleAlert;
  return (
    <Toast.Root
      duration={message.tone === "good" ? 5_000 : 15_000}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      className="flex items-start gap-2.5 rounded-lg border bg-raised p-3 shadow-lg"
    >
      <Icon className={`mt-0.5 size-4 shrink-0 ${message.tone === "good" ? "text-good" : "text-bad"}`} aria-hidden />
      <div className="grid min-w-0 flex-1 gap-0.5 break-words">
        <Toast.Title className="font-medium">{message.title}</Toast.Title>
        {message.text && <Toast.Description className="text-quiet">{message.text}</Toast.Description>}
        {message.requestId && <p className="font-mono text-xs text-quiet">Request {message.requestId}</p>}
      </div>
      <Toast.Close asChild>
        <Button kind="quiet" size="icon" aria-label="Dismiss">
          <X aria-hidden />
        </Button>
      </Toast.Close>
    </Toast.Root>
  );
}
