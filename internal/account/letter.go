package account

import (
	"context"
	"time"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
)

func (s *Service) writeConfirm(ctx context.Context, tx *journal.Tx, r signUp, link string) error {
	to := mail.Reader{Email: r.Email, Name: r.Name, Language: r.Language, TimeZone: r.TimeZone}
	return s.post.Write(ctx, tx.SQL(), to, "account.confirm", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Confirm your address"),
			Paragraphs: []string{
				i18n.T(ctx, "An account on the Commission Portal was asked for with this address. Confirm that it is yours, with the password chosen there."),
				i18n.T(ctx, "The link is good once, for 48 hours."),
			},
			Button: i18n.T(ctx, "Confirm the address"), Path: "/confirm/" + link, Secret: true,
			Footer: i18n.T(ctx, "Was it not you? Then do nothing: without the link there will be no account."),
		}
	})
}

func (s *Service) writeKnown(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.known", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "You have an account already"),
			Paragraphs: []string{
				i18n.T(ctx, "Somebody, probably you, asked for an account on the Commission Portal with this address. There is one already: sign in with your password."),
				i18n.T(ctx, "If you do not remember it, set a new one; the page to sign in leads there."),
			},
			Button: i18n.T(ctx, "Sign in"), Path: "/sign-in",
			Footer: i18n.T(ctx, "Was it not you? Then do nothing: nothing has changed."),
		}
	})
}

func (s *Service) writeReset(ctx context.Context, tx *journal.Tx, p Person, link string) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.reset", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Set a new password"),
			Paragraphs: []string{
				i18n.T(ctx, "Somebody, probably you, asked to set a new password for your account."),
				i18n.T(ctx, "The link is good once, for one hour. With the new password all sessions end."),
			},
			Button: i18n.T(ctx, "Set a new password"), Path: "/reset/" + link, Secret: true,
			Footer: i18n.T(ctx, "Was it not you? Then do nothing: your password stays as it is."),
		}
	})
}

func (s *Service) writeWelcome(ctx context.Context, tx *journal.Tx, p Person, link string) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.welcome", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Your account on the Commission Portal"),
			Paragraphs: []string{
				i18n.T(ctx, "The secretariat has opened an account for you. Set a password to begin."),
				i18n.T(ctx, "The link is good once, for seven days. After that, ask for another on the page to sign in."),
			},
			Button: i18n.T(ctx, "Set a password"), Path: "/reset/" + link, Secret: true,
		}
	})
}

func (s *Service) writePassword(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.password", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Your password was changed"),
			Paragraphs: []string{
				i18n.T(ctx, "The password of your account has just been changed, and your other sessions have ended."),
				i18n.T(ctx, "Was it not you? Set a new one at once, and tell the secretariat."),
			},
			Button: i18n.T(ctx, "It was not me"), Path: "/reset",
		}
	})
}

func (s *Service) writeToken(ctx context.Context, tx *journal.Tx, p Person, t Token) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.token", "", func(ctx context.Context) mail.Note {
		what := i18n.T(ctx, "It can do all that you can do.")
		if t.ReadOnly {
			what = i18n.T(ctx, "It can read all that you can read.")
		}
		return mail.Note{
			Subject:    i18n.T(ctx, "A token was made for your account"),
			Paragraphs: []string{i18n.T(ctx, "The token “%s” was made, with which a program can act for you.", t.Name) + " " + what},
			Button:     i18n.T(ctx, "Look at your tokens"), Path: "/profile/tokens",
			Footer: i18n.T(ctx, "Was it not you? Revoke it, change your password, and tell the secretariat."),
		}
	})
}

func (s *Service) writeSuspended(ctx context.Context, tx *journal.Tx, p Person, reason string) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "person.suspended", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Your account is suspended"),
			Paragraphs: []string{
				i18n.T(ctx, "The secretariat has suspended your account. You cannot sign in, and your tokens have been revoked."),
				i18n.T(ctx, "If you think that this is wrong, write to the secretariat."),
			},
			Details: [][2]string{{i18n.T(ctx, "Reason"), reason}},
		}
	})
}

func (s *Service) writeReinstated(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "person.reinstated", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "Your account is open again"),
			Paragraphs: []string{i18n.T(ctx, "The secretariat has reinstated your account. You can sign in as before; tokens have to be made anew.")},
			Button:     i18n.T(ctx, "Sign in"), Path: "/sign-in",
		}
	})
}

// What a letter says happened to second factors.
const (
	factorOn = iota
	factorKey
	factorOff
	factorsLost
	factorCodes
	factorRecovered
)

func (s *Service) writeFactor(ctx context.Context, tx *journal.Tx, p Person, what int) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.factor", "", func(ctx context.Context) mail.Note {
		n := mail.Note{Button: i18n.T(ctx, "Look at your second factors"), Path: "/profile/factors",
			Footer: i18n.T(ctx, "Was it not you? Set a new password at once, end all sessions, and tell the secretariat.")}
		switch what {
		case factorOn:
			n.Subject = i18n.T(ctx, "A second factor was set up")
			n.Paragraphs = []string{i18n.T(ctx, "From now on, signing in to your account asks for it besides the password. Keep the recovery codes in a safe place.")}
		case factorKey:
			n.Subject = i18n.T(ctx, "A passkey was set up")
			n.Paragraphs = []string{i18n.T(ctx, "It signs in to your account without a password. From now on the password alone is not enough.")}
		case factorOff:
			n.Subject = i18n.T(ctx, "A second factor was removed")
			n.Paragraphs = []string{i18n.T(ctx, "It is not asked for any more when you sign in.")}
		case factorsLost:
			n.Subject = i18n.T(ctx, "Your second factors were removed")
			n.Paragraphs = []string{i18n.T(ctx, "The secretariat has removed them, with the recovery codes, as they are lost. Your password alone signs you in: set up a second factor again.")}
		case factorCodes:
			n.Subject = i18n.T(ctx, "New recovery codes were made")
			n.Paragraphs = []string{i18n.T(ctx, "Those that you had are good for nothing any more.")}
		case factorRecovered:
			n.Subject = i18n.T(ctx, "A recovery code was used")
			n.Paragraphs = []string{i18n.T(ctx, "Somebody, probably you, signed in to your account with a recovery code. It is good for nothing any more.")}
		}
		return n
	})
}

func (s *Service) writeLinked(ctx context.Context, tx *journal.Tx, p Person, issuer string) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.linked", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "Your account was linked"),
			Paragraphs: []string{i18n.T(ctx, "From now on, an account at %s signs you in to the Commission Portal.", issuer)},
			Button:     i18n.T(ctx, "Look at it"), Path: "/profile/factors",
			Footer: i18n.T(ctx, "Was it not you? Unlink it, end all sessions, and tell the secretariat."),
		}
	})
}

func (s *Service) writeErasing(ctx context.Context, tx *journal.Tx, p Person, due time.Time, own bool) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.erasing", "", func(ctx context.Context) mail.Note {
		n := mail.Note{
			Subject: i18n.T(ctx, "Your personal data will be erased"),
			Paragraphs: []string{i18n.T(ctx, "You have asked for it. On %s your account is closed, and your name and address are erased wherever they stand.", i18n.Date(ctx, due)),
				i18n.T(ctx, "Until then everything is as it was. If you change your mind, sign in and keep your account.")},
			Button: i18n.T(ctx, "Keep my account"), Path: "/profile/data/erase",
			Footer: i18n.T(ctx, "Was it not you? Keep the account, set a new password at once, and tell the secretariat."),
		}
		if !own {
			n.Paragraphs[0] = i18n.T(ctx, "The secretariat was asked for it in your name. On %s your account is closed, and your name and address are erased wherever they stand.", i18n.Date(ctx, due))
		}
		return n
	})
}

func (s *Service) writeKept(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.kept", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "Your personal data is kept"),
			Paragraphs: []string{i18n.T(ctx, "It was to be erased. That was undone, and your account stays as it is.")},
			Button:     i18n.T(ctx, "Your data"), Path: "/profile/data",
		}
	})
}

func (s *Service) writeHeld(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.held", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Your personal data is not erased yet"),
			Paragraphs: []string{i18n.T(ctx, "Today was the day. But you have come to lead a commission, or the portal, that would have nobody without you."),
				i18n.T(ctx, "See to a successor: it is tried again every day.")},
			Button: i18n.T(ctx, "See what it waits for"), Path: "/profile/data/erase",
		}
	})
}

func (s *Service) writeErased(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.erased", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Your personal data is erased"),
			Paragraphs: []string{i18n.T(ctx, "Your account on the Commission Portal is closed. What you took part in stays, under a pseudonym that leads nowhere."),
				i18n.T(ctx, "This is the last letter. The portal forgets this address when it has left.")},
		}
	})
}

func (s *Service) writeMoving(ctx context.Context, tx *journal.Tx, p Person, email, link string) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.moving", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Another address was asked for"),
			Paragraphs: []string{
				i18n.T(ctx, "Somebody who was signed in to your account, probably you, wants to use %s instead of this address. It changes when the link in a letter to it is opened.", email),
				i18n.T(ctx, "Was it not you? Stop it: all sessions end, and you set a new password."),
			},
			Button: i18n.T(ctx, "It was not me: stop it"), Path: "/address/stop/" + link, Secret: true,
			Footer: i18n.T(ctx, "If it was you, there is nothing to do here. If the address has changed already and it was not you, tell the secretariat."),
		}
	})
}

func (s *Service) writeMove(ctx context.Context, tx *journal.Tx, p Person, email, link string) error {
	to := p.Reader()
	to.Email = email
	return s.post.Write(ctx, tx.SQL(), to, "account.move", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Confirm your new address"),
			Paragraphs: []string{
				i18n.T(ctx, "You asked for this address instead of the one that your account on the Commission Portal has. Confirm that you read letters here."),
				i18n.T(ctx, "The link is good once, for 24 hours."),
			},
			Button: i18n.T(ctx, "Use this address"), Path: "/address/" + link, Secret: true,
			Footer: i18n.T(ctx, "Do you know nothing of it? Then do nothing: without the link nothing changes."),
		}
	})
}

func (s *Service) writeWanted(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.wanted", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Somebody wanted to use your address"),
			Paragraphs: []string{
				i18n.T(ctx, "Somebody with another account on the Commission Portal asked for this address. It is that of your account already, so nothing has changed, and they are not told."),
				i18n.T(ctx, "If that was you, with two accounts: sign in with this address, or ask the secretariat to erase the account that you do not need."),
			},
			Button: i18n.T(ctx, "Sign in"), Path: "/sign-in",
		}
	})
}

func (s *Service) writeMoved(ctx context.Context, tx *journal.Tx, p Person) error {
	return s.post.Write(ctx, tx.SQL(), p.Reader(), "account.moved", "", func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject: i18n.T(ctx, "Your address was changed"),
			Paragraphs: []string{i18n.T(ctx, "From now on your account on the Commission Portal has another address, and letters go there. This is the last one here."),
				i18n.T(ctx, "Was it not you? Tell the secretariat at once.")},
		}
	})
}
