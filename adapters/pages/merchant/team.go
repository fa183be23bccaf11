package merchant

import (
	"net/http"
	"strings"

	"footway/core/account"
)

// teamPage is what the page of the team shows.
type teamPage struct {
	page
	Members []member
	AllOf   []shop
	Wrong   string
	Form    struct{ Email, Name string }
	Link    string // of an invitation that was just made: it is shown once
	LinkFor string
}

type member struct {
	account.Account
	Me      bool
	Waiting bool // the invitation is not taken yet
	Sees    string
	Shops   []choice
}

func (v *visit) team() error {
	d, err := v.teamPage()
	if err != nil {
		return err
	}
	return v.show("team", d)
}

func (v *visit) teamPage() (*teamPage, error) {
	if err := v.mustAdmin(); err != nil {
		return nil, err
	}
	d := &teamPage{page: v.page("Team", "team")}
	var err error
	if d.AllOf, err = v.shops(); err != nil {
		return nil, err
	}
	all, err := v.o.Accounts.Members(v.ctx, v.who.Account.Business)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		m := member{Account: a, Me: a.ID == v.who.Account.ID, Waiting: a.Password == "" && a.Subject == "", Sees: "all stores"}
		var names []string
		for _, s := range d.AllOf {
			limited := len(a.Stores) > 0 && a.May(s.ID)
			m.Shops = append(m.Shops, choice{s.ID, s.Name, limited})
			if limited {
				names = append(names, s.Name)
			}
		}
		if len(a.Stores) > 0 {
			m.Sees = strings.Join(names, ", ")
		}
		d.Members = append(d.Members, m)
	}
	return d, nil
}

// role reads the role and the stores of a form.
func (v *visit) role() (account.Role, []string) {
	if v.r.PostFormValue("role") == string(account.Admin) {
		return account.Admin, nil
	}
	return account.Staff, v.r.PostForm["stores"]
}

// invite makes an account, and shows the link of its invitation once.
func (v *visit) invite() error {
	p := account.Person{Email: v.r.PostFormValue("email"), Name: strings.TrimSpace(v.r.PostFormValue("name"))}
	p.Role, p.Stores = v.role()
	a, token, err := v.o.Accounts.Invite(v.ctx, v.who.Account, p)
	return v.invited(a, token, err, p)
}

func (v *visit) inviteAgain() error {
	a, token, err := v.o.Accounts.InviteAgain(v.ctx, v.who.Account, account.ID(v.r.PathValue("account")))
	return v.invited(a, token, err, account.Person{})
}

func (v *visit) invited(a account.Account, token string, wrong error, p account.Person) error {
	if wrong != nil && statusOf(wrong) >= http.StatusInternalServerError {
		return wrong
	}
	d, err := v.teamPage()
	if err != nil {
		return err
	}
	status := http.StatusOK
	if wrong != nil {
		status, d.Wrong = statusOf(wrong), v.said(v.r, wrong)
		if reasonOf(wrong) == "validation_error" {
			d.Wrong = "Want a name, and an email address such as ana@example.com."
		}
		d.Form.Email, d.Form.Name = p.Email, p.Name
	} else {
		scheme := "http"
		if v.o.Secure || v.r.TLS != nil {
			scheme = "https"
		}
		d.Link, d.LinkFor = scheme+"://"+v.r.Host+v.at("/invitation/"+token), a.Name
	}
	return v.showAs("team", status, d)
}

func (v *visit) editMember() error {
	var e account.Edit
	switch v.r.PostFormValue("do") {
	case "disable":
		yes := true
		e.Disabled = &yes
	case "enable":
		no := false
		e.Disabled = &no
	default:
		role, stores := v.role()
		e.Role, e.Stores = &role, &stores
	}
	_, err := v.o.Accounts.EditMember(v.ctx, v.who.Account, account.ID(v.r.PathValue("account")), e)
	if err == nil {
		return v.to("/team?note=saved")
	}
	if statusOf(err) == http.StatusNotFound || statusOf(err) >= http.StatusInternalServerError {
		return err
	}
	return v.invited(account.Account{}, "", err, account.Person{})
}

// settingsPage is what the page of one's own settings shows.
type settingsPage struct {
	page
	Wrong    string
	Business string
}

func (v *visit) settings() error {
	d := settingsPage{page: v.page("Settings", "settings"), Business: v.who.Account.Business.ID}
	return v.show("settings", d)
}

func (v *visit) changePassword() error {
	err := v.o.Accounts.ChangePassword(v.ctx, v.who, v.r.PostFormValue("old"), v.r.PostFormValue("password"))
	if err == nil {
		return v.to("/settings?note=password")
	}
	if statusOf(err) >= http.StatusInternalServerError {
		return err
	}
	d := settingsPage{page: v.page("Settings", "settings"), Wrong: v.said(v.r, err), Business: v.who.Account.Business.ID}
	if reasonOf(err) == account.WrongPassword {
		d.Wrong = "Your password now is another one."
	}
	return v.showAs("settings", statusOf(err), d)
}
