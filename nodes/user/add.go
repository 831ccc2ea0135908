package user

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"sluice/nodes/audit"
)

// Add adds a user to s, with a password unless h is nil, and records it in rec. Of u it
// takes Email, Phone, Name and Groups, and sets the rest. It returns InvalidEmail,
// InvalidPhone, InvalidGroup, EmailTaken, PhoneTaken, WeakPassword or Busy where one of
// these is the reason that nobody was added.
func Add(ctx context.Context, s Store, h Hasher, rec *audit.Recorder, u User, password string) (User, error) {
	made := User{Name: u.Name, Groups: SortGroups(u.Groups)}
	var err error
	if u.Email != "" || u.Phone == "" {
		if made.Email, made.EmailKey, err = EmailKey(u.Email); err != nil {
			return User{}, InvalidEmail.Because(err)
		}
	}
	if u.Phone != "" {
		if made.Phone, err = PhoneNumber(u.Phone); err != nil {
			return User{}, InvalidPhone.Because(err)
		}
	}
	if err := CheckGroups(u.Groups); err != nil {
		return User{}, err
	}
	// A taken address costs as much as a free one, for flows that tell nobody
	// which addresses have users.
	hash := ""
	if h != nil {
		if hash, err = h.New(ctx, password, made.Words()...); err != nil {
			return User{}, fmt.Errorf("hashing password: %w", err)
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return User{}, fmt.Errorf("making id: %w", err)
	}
	made.ID, made.CreationDtm = id.String(), now()
	made.UpdatedDtm = made.CreationDtm
	err = rec.Do(ctx, audit.Event{Kind: audit.UserCreated, Subject: made.ID}, func(ctx context.Context) error { return s.Create(ctx, made, hash) })
	switch {
	case errors.Is(err, ErrEmailTaken):
		return User{}, EmailTaken
	case errors.Is(err, ErrPhoneTaken):
		return User{}, PhoneTaken
	case err != nil:
		return User{}, fmt.Errorf("storing user: %w", err)
	}
	return made, nil
}
