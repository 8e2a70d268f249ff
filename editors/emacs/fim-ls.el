;;; fim-ls.el --- Code at the cursor, as ghost text  -*- lexical-binding: t; -*-

;; Author: The fim-ls authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: convenience, languages, tools
;; URL: https://pypi.org/project/fim-ls/
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; The language server fim-ls writes the code at the cursor with a model on
;; your own machine.  This package draws it as ghost text while you type:
;;
;;     (add-hook 'prog-mode-hook #'fim-ls-mode)
;;
;; Eglot runs one server per buffer, and that place is usually taken.  So there
;; is a connection of our own, one per project: this works beside Eglot, beside
;; lsp-mode, and without either.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'project)
(require 'subr-x)
(require 'url-util)

(defvar company-candidates)
(defvar completion-preview-active-mode)
(defvar evil-state)
(defvar fim-ls-mode)
(defvar multiple-cursors-mode)


;;; Options

(defgroup fim-ls nil
  "Code at the cursor, written by a model on your own machine."
  :group 'convenience
  :prefix "fim-ls-")

(defface fim-ls-ghost-text '((t :inherit shadow))
  "How a suggestion looks.")

(defcustom fim-ls-server '("fim-ls" "serve" "--stdio")
  "How the server is reached.
A list is a command, which is run once for each project.  A pair of a
host and a port is a server that runs already, with --tcp: it serves all
projects and other editors too, with a single model in memory."
  :type '(choice (repeat :tag "Command" string)
                 (cons :tag "Address"
                       (string :tag "Host") (natnum :tag "Port"))))

(defcustom fim-ls-settings nil
  "Settings of the server, a property list such as (:multiline \"never\").
False is :json-false, and a list is a vector.  A change made with
`customize-variable' or `setopt' holds at once."
  :type 'plist
  :set (lambda (symbol value)
         (set-default-toplevel-value symbol value)
         (when (fboundp 'fim-ls--tell-settings)
           (fim-ls--tell-settings))))

(defcustom fim-ls-language-ids
  '(("bash" . "shellscript") ("c++" . "cpp") ("cperl" . "perl")
    ("js" . "javascript") ("js-jsx" . "javascriptreact")
    ("js2" . "javascript") ("mhtml" . "html") ("objc" . "objective-c")
    ("sh" . "shellscript") ("tsx" . "typescriptreact") ("web" . "html"))
  "What LSP calls the language of a major mode, where that is not its name.
The name of a mode stands here without -mode and -ts-mode."
  :type '(alist :key-type (string :tag "Major mode")
                :value-type (string :tag "Identifier")))

(defvar fim-ls-suggestion-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'fim-ls-accept)
    (define-key map (kbd "<tab>") #'fim-ls-accept)
    (define-key map [remap forward-word] #'fim-ls-accept-word)
    (define-key map [remap right-word] #'fim-ls-accept-word)
    (define-key map (kbd "M-e") #'fim-ls-accept-line)
    (define-key map (kbd "M-n") #'fim-ls-next)
    (define-key map (kbd "M-p") #'fim-ls-previous)
    (define-key map [remap keyboard-quit] #'fim-ls-dismiss)
    map)
  "Keys while ghost text is drawn, and only then.")


;;; The server of a project

(defclass fim-ls--connection (jsonrpc-process-connection)
  ((root
    :initarg :root
    :documentation "Folder of the project, nil for files without one.")
   (is-ready
    :initform nil
    :documentation "Whether `initialize' was answered.")
   (status
    :initform '(:state "starting")
    :documentation "What the server told of itself last.")
   (percent
    :initform nil
    :documentation "How much of the model is loaded.")
   (asked
    :initform nil
    :documentation "Id of the latest request for suggestions."))
  "A server, and what is known of it.")

(defvar fim-ls--connections (make-hash-table :test #'equal)
  "Connections by the folder of their project.
One that ended stays until it is replaced.")

(defvar-local fim-ls--root nil
  "Folder of this buffer's project, nil for a buffer without one.")

(defun fim-ls--find-root ()
  "Return the folder of this buffer's project if it is on this machine."
  (unless (file-remote-p default-directory)
    (when-let ((project (project-current)))
      (expand-file-name (project-root project)))))

(defun fim-ls--current ()
  "Return the connection of this buffer's project, nil before there was one."
  (gethash fim-ls--root fim-ls--connections))

(defun fim-ls--ready ()
  "Return the connection of this buffer's project if it takes requests."
  (when-let ((connection (fim-ls--current)))
    (and (slot-value connection 'is-ready)
         (jsonrpc-running-p connection)
         connection)))

(defun fim-ls--ready-or-error ()
  "Return the connection of this buffer's project; fail if there is none."
  (or (fim-ls--ready) (user-error "The server of fim-ls is not ready")))

(defun fim-ls--connect (root)
  "Begin to talk to a server for the project in ROOT."
  (let* ((default-directory (or root (expand-file-name "~/")))
         (name (string-trim-right (format "fim-ls %s" (or root ""))))
         (connection (apply #'make-instance 'fim-ls--connection
                            :name name
                            :root root
                            :process (lambda () (fim-ls--start-process name))
                            :request-dispatcher #'fim-ls--answer
                            :notification-dispatcher #'fim-ls--hear
                            :on-shutdown #'fim-ls--ended
                            (fim-ls--without-log))))
    (puthash root connection fim-ls--connections)
    (jsonrpc-async-request
     connection :initialize (fim-ls--introduction root)
     :timeout nil
     :success-fn (lambda (_) (fim-ls--begin connection)))))

(defun fim-ls--start-process (name)
  "Start the server, or reach the one in `fim-ls-server', under NAME."
  (pcase fim-ls-server
    (`(,(and host (pred stringp)) . ,(and port (pred integerp)))
     (make-network-process :name name :host host :service port
                           :noquery t :coding 'utf-8-emacs-unix))
    (command
     (make-process :name name :command command :connection-type 'pipe
                   :noquery t :coding 'utf-8-emacs-unix
                   ;; By this name jsonrpc finds it.
                   :stderr (get-buffer-create (format "*%s stderr*" name))))))

(defun fim-ls--without-log ()
  "Return arguments for a connection without a log of its messages.
They hold the text of whole files."
  (if (fboundp 'jsonrpc-convert-to-endpoint) ; since Emacs 30
      '(:events-buffer-config (:size 0))
    '(:events-buffer-scrollback-size 0)))

(defun fim-ls--introduction (root)
  "Return what the server of the project in ROOT is told of us."
  (list :processId (emacs-pid)
        :clientInfo (list :name "Emacs" :version emacs-version)
        :rootUri (and root (fim-ls--file-uri root))
        :initializationOptions fim-ls-settings
        :capabilities
        '(:general (:positionEncodings ["utf-32"])
          :workspace (:configuration t)
          :window (:workDoneProgress t)
          :textDocument
          (:inlineCompletion (:dynamicRegistration :json-false)))))

(defun fim-ls--begin (connection)
  "Let CONNECTION take requests, beginning with one that waits for it."
  (jsonrpc-notify connection :initialized (make-hash-table))
  (setf (slot-value connection 'is-ready) t)
  (with-current-buffer (window-buffer)
    (when (and fim-ls-mode (eq connection (fim-ls--current)))
      (fim-ls--ask-if-edited))))

(defun fim-ls--ended (connection)
  "Say so if the server behind CONNECTION stopped of its own accord."
  (when (eq connection
            (gethash (slot-value connection 'root) fim-ls--connections))
    (message "fim-ls stopped; M-x fim-ls-restart starts it again"))
  (force-mode-line-update t))

(defun fim-ls--answer (_connection method params)
  "Answer the request METHOD of the server, made with PARAMS."
  (pcase method
    ('workspace/configuration
     (make-vector (length (plist-get params :items)) fim-ls-settings))
    ('window/workDoneProgress/create nil)
    (_ (jsonrpc-error :code -32601 :message "Not supported"))))

(defun fim-ls--hear (connection method params)
  "Take in the notification METHOD that CONNECTION sent with PARAMS."
  (pcase method
    ('fim-ls/status
     (setf (slot-value connection 'status) params))
    ('$/progress
     (setf (slot-value connection 'percent)
           (plist-get (plist-get params :value) :percentage)))
    ('window/showMessage
     (message "fim-ls: %s" (plist-get params :message))))
  (force-mode-line-update t))

(defun fim-ls--tell-settings ()
  "Let all servers ask for their settings again."
  (maphash (lambda (_root connection)
             (when (jsonrpc-running-p connection)
               (jsonrpc-notify connection :workspace/didChangeConfiguration
                               '(:settings nil))))
           fim-ls--connections))

(cl-defmethod jsonrpc-connection-send :before
  ((connection fim-ls--connection) &key id method &allow-other-keys)
  "Note the ID if METHOD asks CONNECTION for suggestions.
It has to be named when the request is cancelled."
  (when (eq method :textDocument/inlineCompletion)
    (setf (slot-value connection 'asked) id)))

(defun fim-ls--execute (command arguments then)
  "Let the server execute COMMAND with ARGUMENTS; call THEN with the result."
  (jsonrpc-async-request
   (fim-ls--ready-or-error) :workspace/executeCommand
   (list :command command :arguments arguments)
   :timeout nil
   :success-fn then))

(defun fim-ls--lighter ()
  "Return the lighter: the name, and the state if it matters."
  (if-let ((connection (fim-ls--current)))
      (propertize (concat " fim-ls" (fim-ls--state connection))
                  'help-echo (fim-ls--details connection))
    " fim-ls"))

(defun fim-ls--state (connection)
  "Return the state of the server behind CONNECTION, as short as possible."
  (pcase (if (jsonrpc-running-p connection)
             (plist-get (slot-value connection 'status) :state)
           "stopped")
    ("ready" "")
    ("busy" "…")
    ("loading" (if-let ((percent (slot-value connection 'percent)))
                   (format ":loading %d%%%%" percent)
                 ":loading"))
    (state (concat ":" state))))

(defun fim-ls--details (connection)
  "Return what the server behind CONNECTION told of itself, in lines."
  (cl-loop with status = (slot-value connection 'status)
           for key in '(:model :device :message)
           for value = (plist-get status key)
           unless (member value '(nil ""))
           concat (concat value "\n")))


;;; The text of a buffer, as the server has it

(defvar-local fim-ls--opened nil
  "The connection that has this buffer's text, nil while none has.")
(defvar-local fim-ls--uri nil
  "By which name it has it.")
(defvar-local fim-ls--version nil
  "Which version it has: what `buffer-chars-modified-tick' was.")

(defun fim-ls--file-uri (path)
  "Return the URI of PATH; of a remote one, as it is called over there."
  (concat "file://"
          (if (eq system-type 'windows-nt) "/")
          (url-hexify-string (file-local-name (expand-file-name path))
                             url-path-allowed-chars)))

(defun fim-ls--buffer-uri ()
  "Return the URI of this buffer's file, or one for a buffer without a file."
  (if buffer-file-name
      (fim-ls--file-uri buffer-file-name)
    (concat "untitled:" (url-hexify-string (buffer-name)))))

(defun fim-ls--language ()
  "Return the identifier that LSP has for this buffer's language."
  (let ((name (replace-regexp-in-string "\\(-ts\\)?-mode\\'" ""
                                        (symbol-name major-mode))))
    (alist-get name fim-ls-language-ids name nil #'equal)))

(defun fim-ls--text ()
  "Return the text of this buffer, with U+FFFD for what JSON cannot hold."
  (save-restriction
    (widen)
    (replace-regexp-in-string
     "[\xD800-\xDFFF\x110000-\x3FFFFF]" "\uFFFD"
     (buffer-substring-no-properties (point-min) (point-max)) t t)))

(defun fim-ls--position ()
  "Return where point is, as LSP counts in utf-32."
  (save-restriction
    (widen)
    (list :line (1- (line-number-at-pos))
          :character (- (point) (line-beginning-position)))))

(defun fim-ls--sync (connection)
  "Let CONNECTION have the text of this buffer as it is now."
  (let ((tick (buffer-chars-modified-tick)))
    (cond ((not (eq connection fim-ls--opened))
           (fim-ls--open connection tick))
          ((/= tick fim-ls--version)
           (jsonrpc-notify
            connection :textDocument/didChange
            (list :textDocument (list :uri fim-ls--uri :version tick)
                  :contentChanges (vector (list :text (fim-ls--text)))))))
    (setq fim-ls--version tick)))

(defun fim-ls--open (connection version)
  "Tell CONNECTION of this buffer, whose text is the given VERSION."
  (setq fim-ls--opened connection
        fim-ls--uri (fim-ls--buffer-uri))
  (jsonrpc-notify connection :textDocument/didOpen
                  (list :textDocument (list :uri fim-ls--uri
                                            :languageId (fim-ls--language)
                                            :version version
                                            :text (fim-ls--text)))))

(defun fim-ls--close ()
  "Let the server forget this buffer."
  (fim-ls--clear)
  (fim-ls--notify :textDocument/didClose
                  (list :textDocument (list :uri fim-ls--uri)))
  (setq fim-ls--opened nil))

(defun fim-ls--notify (method params)
  "Send METHOD with PARAMS to the server that has this buffer, if it lives."
  (when (and fim-ls--opened (jsonrpc-running-p fim-ls--opened))
    (jsonrpc-notify fim-ls--opened method params)))


;;; What is drawn

(cl-defstruct (fim-ls--suggestion (:constructor fim-ls--suggestion)
                                  (:copier nil))
  "Candidates for one place, one of which is drawn.
What was typed or taken of it stands between START and point."
  (start nil :documentation "Marker of where the text of each begins.")
  (after nil :documentation "What the line had behind point.")
  (replaces nil :documentation "How many characters of it are replaced.")
  (items nil :documentation "What the server sent, a vector.")
  (index 0 :documentation "Which of them is drawn."))

(defvar-local fim-ls--shown nil
  "What is drawn in this buffer, a `fim-ls--suggestion'.")
(defvar-local fim-ls--overlay nil
  "Where it is drawn; this also switches `fim-ls-suggestion-map' on.")

(defvar fim-ls--keymaps `((fim-ls--overlay . ,fim-ls-suggestion-map))
  "For `emulation-mode-map-alists': before the keys of minor modes.")
(add-to-list 'emulation-mode-map-alists 'fim-ls--keymaps)

(defun fim-ls--item (suggestion)
  "Return the candidate of SUGGESTION that is drawn."
  (aref (fim-ls--suggestion-items suggestion)
        (fim-ls--suggestion-index suggestion)))

(defun fim-ls--whole (suggestion)
  "Return the text of SUGGESTION, from its start."
  (plist-get (fim-ls--item suggestion) :insertText))

(defun fim-ls--replaced (suggestion)
  "Return the text behind the cursor that SUGGESTION takes the place of."
  (substring (fim-ls--suggestion-after suggestion)
             0 (fim-ls--suggestion-replaces suggestion)))

(defun fim-ls--line-after ()
  "Return the line behind the cursor."
  (buffer-substring-no-properties (point) (line-end-position)))

(defun fim-ls--rest (suggestion)
  "Return what is left of SUGGESTION behind what was typed of it.
It is nil if the suggestion does not fit here any more."
  (save-restriction
    (widen)
    (let* ((whole (fim-ls--whole suggestion))
           (start (fim-ls--suggestion-start suggestion))
           (length (- (point) start)))
      (and (< -1 length (length whole))
           (string-prefix-p (buffer-substring-no-properties start (point))
                            whole)
           (string= (fim-ls--line-after) (fim-ls--suggestion-after suggestion))
           (not (string= (substring whole length)
                         (fim-ls--replaced suggestion)))
           (substring whole length)))))

(defun fim-ls--rest-here ()
  "Return what is left of the suggestion that is drawn in this buffer."
  (and fim-ls--shown (fim-ls--rest fim-ls--shown)))

(defun fim-ls--draw (rest)
  "Draw the REST of the suggestion at point."
  (let* ((replaced (fim-ls--replaced fim-ls--shown))
         ;; A closing bracket, say, that comes again at the end: it is kept.
         (kept (and (string-suffix-p replaced rest)
                    (not (string-search "\n" rest))))
         (end (+ (point) (if kept 0 (length replaced)))))
    (unless fim-ls--overlay
      (setq fim-ls--overlay (make-overlay (point) end)))
    (move-overlay fim-ls--overlay (point) end)
    (overlay-put fim-ls--overlay 'window (selected-window))
    (overlay-put fim-ls--overlay 'display (unless kept ""))
    (overlay-put fim-ls--overlay 'before-string
                 (fim-ls--ghost-text
                  (if kept (string-remove-suffix replaced rest) rest)))))

(defun fim-ls--ghost-text (text)
  "Return TEXT as it is drawn, with the cursor before it."
  ;; The cursor stands on a blank where the text begins with a new line.
  (let ((ghost (replace-regexp-in-string "\\`\n" " \n" text)))
    ;; From the start of the line on: t would not win against text behind it.
    (put-text-property 0 1 'cursor (point) ghost)
    (replace-regexp-in-string
     ".*[^ \n].*" (lambda (line) (propertize line 'face 'fim-ls-ghost-text))
     ghost t t)))

(defun fim-ls--show (suggestion)
  "Draw SUGGESTION, and tell the server."
  (setq fim-ls--shown suggestion)
  (fim-ls--draw (fim-ls--rest suggestion))
  (fim-ls--notify :textDocument/didShowCompletion
                  (list :item (fim-ls--item suggestion))))

(defun fim-ls--clear ()
  "Take the ghost text away, and await none."
  (fim-ls--cancel)
  (when fim-ls--overlay
    (delete-overlay fim-ls--overlay))
  (setq fim-ls--overlay nil
        fim-ls--shown nil))


;;; Asking

(defconst fim-ls--invoked 1
  "Trigger kind of a key that asks: it gets several candidates.")
(defconst fim-ls--automatic 2
  "Trigger kind of typing.")

(defvar-local fim-ls--edited nil
  "Whether the text was edited since suggestions were last asked for.")
(defvar-local fim-ls--pending nil
  "The place that a request without an answer was made for.")
(defvar-local fim-ls--dismissed nil
  "What was dismissed last, a `fim-ls--suggestion'.")

(defun fim-ls--place ()
  "Return where point is, and in which version of the text."
  (cons (point) (buffer-chars-modified-tick)))

(defun fim-ls--cancel ()
  "Let the server stop working for this buffer, if it does."
  (when fim-ls--pending
    (setq fim-ls--pending nil)
    (fim-ls--notify :$/cancelRequest
                    (list :id (slot-value fim-ls--opened 'asked)))))

(defun fim-ls--ask (connection trigger then)
  "Ask CONNECTION for what belongs at point; TRIGGER is a trigger kind.
THEN is called with a `fim-ls--suggestion' or nil, unless point has
moved or the text was changed by that time."
  (fim-ls--cancel)
  (fim-ls--sync connection)
  (let ((buffer (current-buffer))
        (place (fim-ls--place))
        (position (fim-ls--position)))
    (setq fim-ls--pending place)
    (jsonrpc-async-request
     connection :textDocument/inlineCompletion
     (list :textDocument (list :uri fim-ls--uri)
           :position position
           :context (list :triggerKind trigger))
     :timeout nil
     :error-fn #'ignore
     :success-fn
     (lambda (result)
       (when (buffer-live-p buffer)
         (with-current-buffer buffer
           (when (and (eq place fim-ls--pending)
                      (equal place (fim-ls--place)))
             (setq fim-ls--pending nil)
             (funcall then (fim-ls--received
                            position (plist-get result :items))))))))))

(defun fim-ls--received (position items)
  "Return a suggestion for POSITION, where point is, unless ITEMS is empty."
  (unless (seq-empty-p items)
    (let ((end (plist-get (plist-get (aref items 0) :range) :end)))
      (fim-ls--suggestion :start (point-marker)
                          :after (fim-ls--line-after)
                          :replaces (- (plist-get end :character)
                                       (plist-get position :character))
                          :items items))))

(defun fim-ls--ask-if-edited ()
  "Ask for what belongs at point if the text was edited and a server is there."
  (when-let ((connection (and fim-ls--edited (fim-ls--ready))))
    (setq fim-ls--edited nil)
    (fim-ls--ask connection fim-ls--automatic
                 (lambda (suggestion)
                   (unless (or (null suggestion)
                               (fim-ls--out-of-place-p)
                               (fim-ls--was-dismissed-p suggestion))
                     (fim-ls--show suggestion))))))

(defun fim-ls--was-dismissed-p (suggestion)
  "Return whether SUGGESTION is what is left of the one that was dismissed."
  (and fim-ls--dismissed
       (equal (fim-ls--rest fim-ls--dismissed) (fim-ls--whole suggestion))))

(defun fim-ls--out-of-place-p ()
  "Return whether ghost text would be in the way here."
  (or buffer-read-only
      mark-active
      executing-kbd-macro
      completion-in-region-mode
      (not (eq (current-buffer) (window-buffer)))
      (bound-and-true-p company-candidates)
      (bound-and-true-p completion-preview-active-mode)
      (bound-and-true-p multiple-cursors-mode)
      (not (memq (bound-and-true-p evil-state) '(nil insert replace emacs)))))

(defun fim-ls--note-edit (&rest _)
  "Note that the text was edited; going back in its history does not count."
  (setq fim-ls--edited (not undo-in-progress)))

(defun fim-ls--ignore-edit ()
  "Forget that the text was edited: it was only formatted, or read again."
  (setq fim-ls--edited nil))

(defun fim-ls--follow ()
  "Keep what still fits after a command, and ask where something was typed."
  (fim-ls--ensure-server)
  (let ((rest (fim-ls--rest-here)))
    (cond ((fim-ls--out-of-place-p)
           (fim-ls--clear))
          (rest
           (fim-ls--ignore-edit)
           (fim-ls--draw rest))
          (fim-ls--edited
           (fim-ls--clear)
           (fim-ls--ask-if-edited))
          ((not (equal fim-ls--pending (fim-ls--place)))
           (fim-ls--clear)))))

(defun fim-ls--ensure-server ()
  "Start a server for this project if none was; leave the mode if that fails."
  (unless (fim-ls--current)
    (condition-case problem
        (fim-ls--connect fim-ls--root)
      (file-error
       (fim-ls-mode -1)
       (message "fim-ls cannot be started: %s"
                (error-message-string problem))))))

(defun fim-ls--leave (window)
  "Leave no ghost text behind in WINDOW when another one is selected."
  (unless (eq window (selected-window))
    (with-current-buffer (window-buffer window)
      (fim-ls--clear))))

(defun fim-ls--arrive (window)
  "Show no old ghost text when WINDOW begins to show a buffer."
  (with-current-buffer (window-buffer window)
    ;; Typing may already have asked for a new one.
    (unless fim-ls--pending
      (fim-ls--clear))))

(defun fim-ls--make-way (&rest _)
  "Make way for a list of completions that has appeared."
  (when (fim-ls--out-of-place-p)
    (fim-ls--clear)))


;;; Commands

(defun fim-ls-accept ()
  "Insert the suggestion."
  (interactive)
  (fim-ls--take #'identity))

(defun fim-ls-accept-word ()
  "Insert the next word of the suggestion."
  (interactive)
  (fim-ls--take #'fim-ls--first-word))

(defun fim-ls-accept-line ()
  "Insert the suggestion up to the end of a line."
  (interactive)
  (fim-ls--take #'fim-ls--first-line))

(defun fim-ls--first-word (text)
  "Return the first word or sign of TEXT, with the blanks before it."
  (string-match (rx string-start (* (any " \t\n"))
                    (or (+ (any alnum "_"))
                        (* (not (any alnum "_ \t\n")))))
                text)
  (match-string 0 text))

(defun fim-ls--first-line (text)
  "Return the first line of TEXT that is not empty."
  (string-match (rx string-start (* "\n") (* not-newline)) text)
  (match-string 0 text))

(defun fim-ls--take (part-of)
  "Insert a part of the suggestion: the result of PART-OF for what is left."
  (when-let ((rest (fim-ls--rest-here)))
    (let* ((suggestion fim-ls--shown)
           (replaced (fim-ls--replaced suggestion))
           (part (funcall part-of rest))
           (left (substring rest (length part))))
      (when (string-empty-p left)
        (delete-region (point) (+ (point) (length replaced))))
      (insert part)
      (if (member left (list "" replaced))
          (fim-ls--accepted suggestion)
        (fim-ls--accepted-in-part suggestion)))))

(defun fim-ls--accepted (suggestion)
  "Tell the server that the whole of SUGGESTION was taken."
  (fim-ls--clear)
  (when (fim-ls--ready)
    (let ((command (plist-get (fim-ls--item suggestion) :command)))
      (fim-ls--execute (plist-get command :command)
                       (plist-get command :arguments)
                       #'ignore))))

(defun fim-ls--accepted-in-part (suggestion)
  "Tell the server that SUGGESTION was taken up to point."
  (let ((taken (buffer-substring-no-properties
                (fim-ls--suggestion-start suggestion) (point))))
    (fim-ls--notify :textDocument/didPartiallyAcceptCompletion
                    (list :item (fim-ls--item suggestion)
                          :acceptedLength (fim-ls--utf-16-length taken)))))

(defun fim-ls--utf-16-length (text)
  "Return how long TEXT is in UTF-16."
  (/ (length (encode-coding-string text 'utf-16le)) 2))

(defun fim-ls-dismiss ()
  "Take the suggestion away; it does not come back while you type on."
  (interactive)
  (setq fim-ls--dismissed fim-ls--shown)
  (fim-ls--clear))

(defun fim-ls-suggest ()
  "Ask for what belongs at point."
  (interactive)
  (fim-ls--clear)
  (fim-ls--ask (fim-ls--ready-or-error) fim-ls--invoked
               (lambda (suggestion)
                 (if suggestion
                     (fim-ls--show suggestion)
                   (message "fim-ls suggests nothing here")))))

(defun fim-ls-next ()
  "Show the next suggestion for the same place."
  (interactive)
  (fim-ls--step 1))

(defun fim-ls-previous ()
  "Show the previous suggestion for the same place."
  (interactive)
  (fim-ls--step -1))

(defun fim-ls--step (by)
  "Show the candidate that is BY further, after asking for more if need be."
  (when-let ((rest (fim-ls--rest-here)))
    (if (< 1 (length (fim-ls--suggestion-items fim-ls--shown)))
        (fim-ls--show-other fim-ls--shown by rest)
      ;; Typing brings one candidate only.
      (fim-ls--ask (fim-ls--ready-or-error) fim-ls--invoked
                   (lambda (suggestion)
                     (when suggestion
                       (fim-ls--show-other suggestion by rest)))))))

(defun fim-ls--show-other (suggestion by rest)
  "Show another candidate of SUGGESTION that fits here; BY is 1 or -1.
REST is what is drawn now."
  (let ((count (length (fim-ls--suggestion-items suggestion))))
    (if (cl-loop repeat count
                 do (cl-incf (fim-ls--suggestion-index suggestion) by)
                 do (cl-callf mod (fim-ls--suggestion-index suggestion) count)
                 thereis (not (member (fim-ls--rest suggestion)
                                      (list nil rest))))
        (fim-ls--show suggestion)
      (message "There is no other suggestion"))))

(defun fim-ls-toggle ()
  "Switch suggestions off or on, for all buffers of this project."
  (interactive)
  (fim-ls--clear)
  (fim-ls--execute "fim-ls.toggle" []
                   (lambda (result)
                     (message "Suggestions are %s"
                              (if (eq t (plist-get result :enabled))
                                  "on"
                                "off")))))

(defun fim-ls-restart ()
  "Start the server of this project again."
  (interactive)
  (fim-ls--clear)
  (when-let ((connection (fim-ls--current)))
    (remhash fim-ls--root fim-ls--connections)
    (jsonrpc-shutdown connection))
  (fim-ls--ensure-server))

(defun fim-ls-log ()
  "Show what the server of this project wrote to its log."
  (interactive)
  (pop-to-buffer (or (and (fim-ls--current)
                          (jsonrpc-stderr-buffer (fim-ls--current)))
                     (user-error "No server was started for this buffer"))))

(defun fim-ls-explain ()
  "Tell why the last request of this buffer gave what it gave."
  (interactive)
  (fim-ls--execute "fim-ls.explain" (vector fim-ls--uri)
                   (lambda (result)
                     (with-help-window "*fim-ls explain*"
                       (princ (fim-ls--explanation result))))))

(defun fim-ls--explanation (result)
  "Return the RESULT of the command explain, in lines."
  (if (null result)
      "Nothing was asked for in this buffer yet."
    (format "Ended with: %s\nDropped by: %s\n\n%s"
            (plist-get result :finishReason)
            (or (plist-get result :droppedBy) "nothing")
            (mapconcat (lambda (stage)
                         (format "%-32s %s" (plist-get stage :name)
                                 (plist-get stage :outcome)))
                       (plist-get result :stages)
                       "\n"))))


;;; The mode

(defconst fim-ls--hooks
  '((after-change-functions . fim-ls--note-edit)
    (after-revert-hook . fim-ls--ignore-edit)
    (after-save-hook . fim-ls--ignore-edit)
    (post-command-hook . fim-ls--follow)
    (window-selection-change-functions . fim-ls--leave)
    (window-buffer-change-functions . fim-ls--arrive)
    (completion-in-region-mode-hook . fim-ls--make-way)
    (completion-preview-active-mode-hook . fim-ls--make-way)
    (company-completion-started-hook . fim-ls--make-way)
    (after-set-visited-file-name-hook . fim-ls--close)
    (kill-buffer-hook . fim-ls--close)
    (change-major-mode-hook . fim-ls--turn-off))
  "What the mode does when.")

;;;###autoload
(define-minor-mode fim-ls-mode
  "Draw the code that belongs at the cursor as ghost text, while you type.

While ghost text is drawn there are these keys:
\\{fim-ls-suggestion-map}"
  :lighter (:eval (fim-ls--lighter))
  (pcase-dolist (`(,hook . ,function) fim-ls--hooks)
    (if fim-ls-mode
        (add-hook hook function nil t)
      (remove-hook hook function t)))
  (if fim-ls-mode
      (setq fim-ls--root (fim-ls--find-root))
    (fim-ls--close)))

(defun fim-ls--turn-off ()
  "Leave the mode in this buffer."
  (fim-ls-mode -1))

(provide 'fim-ls)
;;; fim-ls.el ends here
